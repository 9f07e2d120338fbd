import { type Failure, failure } from '../failures.ts';
import { readDay, readInstant } from '../functions/time/instants.ts';
import type { ValueSchema, Variables } from '../schema.ts';
import { sizeOf } from './size.ts';

/** A record as the language sees it, for any number of expressions. */
export interface PreparedRecord {
  readonly outcome: 'prepared';
  readonly values: ReadonlyMap<string, unknown>;
}

/**
 * Makes a JSON record ready to be evaluated. Null members are left out, so that `has(x)` means
 * "there and not null". Declared types decide between whole numbers and fractions; a value that
 * does not fit its type is passed as it is, and only fails where it is used.
 */
export function prepareRecord(
  record: Readonly<Record<string, unknown>>,
  variables: Variables,
): PreparedRecord | Failure {
  if (sizeOf(record) === undefined) return failure('record_too_large');
  return { outcome: 'prepared', values: membersOf(record, (key) => ownOf(variables, key)) };
}

const ownOf = (schemas: Variables, key: string): ValueSchema =>
  (Object.hasOwn(schemas, key) ? schemas[key] : undefined) ?? 'any';

/** A map has no prototype, so keys such as `constructor` are data like any other. */
function membersOf(value: object, schemaOf: (key: string) => ValueSchema): Map<string, unknown> {
  const members = new Map<string, unknown>();
  for (const [key, member] of Object.entries(value)) {
    const converted = convert(member, schemaOf(key));
    if (converted !== null && converted !== undefined) members.set(key, converted);
  }
  return members;
}

function convert(value: unknown, schema: ValueSchema): unknown {
  if (typeof value === 'number') return convertNumber(value, schema);
  if (typeof value === 'string') return convertText(value, schema);
  if (typeof value === 'object') return value === null ? null : convertObject(value, schema);
  return typeof value === 'boolean' || typeof value === 'bigint' ? value : undefined;
}

function convertNumber(value: number, schema: ValueSchema): unknown {
  if (schema === 'number') return value;
  return Number.isSafeInteger(value) ? BigInt(value) : value;
}

function convertText(value: string, schema: ValueSchema): unknown {
  if (schema === 'datetime') return readInstant(value) ?? value;
  return schema === 'date' ? (readDay(value) ?? value) : value;
}

function convertObject(value: object, schema: ValueSchema): unknown {
  if (value instanceof Date) return value;
  if (Array.isArray(value)) {
    const item = typeof schema === 'object' && 'list' in schema ? schema.list : 'any';
    // a list keeps its nulls: positions count
    return value.map((member: unknown) => convert(member, item) ?? null);
  }
  if (typeof schema === 'string' || 'list' in schema) return membersOf(value, () => 'any');
  return 'map' in schema
    ? membersOf(value, () => schema.map)
    : membersOf(value, (key) => ownOf(schema.fields, key));
}
