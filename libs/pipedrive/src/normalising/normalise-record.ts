import {
  ADDRESS_PARTS,
  type FieldDefinition,
  type FieldType,
  type FieldValue,
  type PipedriveObject,
  type PipedriveRecord,
} from '@manifold/contracts';
import { activityTimes, builtInType, currentCode, isCustomCode } from '../fields/field-codes.ts';
import { normaliseValue } from './normalise-value.ts';
import { isPrimary, keepList } from '../records/record-lists.ts';
import { isJson, type Json, toInstant } from './shapes.ts';

/** Where v1 puts the parts of a composite: beside it, as `<code>_<part>`. */
const flatParts = ['currency', 'until', 'timezone_id', ...ADDRESS_PARTS] as const;

/**
 * One record as REST v2, REST v1 (leads and notes, custom fields at the top level) or a webhook
 * gives it. Built-in keys Manifold does not know are dropped. With `definitions` custom values are
 * read by their type and custom fields v1 left out are null; without, their shape decides.
 * Throws only when `raw` is no object with an id.
 */
export function normaliseRecord(
  object: PipedriveObject,
  raw: unknown,
  definitions: readonly FieldDefinition[] = [],
): PipedriveRecord {
  if (!isJson(raw) || (typeof raw.id !== 'number' && typeof raw.id !== 'string')) {
    throw new TypeError(`a ${object} of Pipedrive has an id`);
  }
  const record = {
    object,
    id: String(raw.id),
    updateTime: toInstant(raw.update_time),
    addTime: toInstant(raw.add_time),
    deleted: isDeleted(object, raw),
    fields: normaliseFields(object, raw, definitions),
  };
  return keepList(record, raw);
}

/** The fields of a record or of the `previous` of a webhook, by their current codes. */
export function normaliseFields(
  object: PipedriveObject,
  raw: Record<string, unknown>,
  definitions: readonly FieldDefinition[] = [],
): Record<string, FieldValue> {
  return Object.fromEntries([
    ...builtInValues(object, raw),
    ...customValues(object, raw, definitions),
  ]);
}

function* builtInValues(object: PipedriveObject, raw: Json): Generator<[string, FieldValue]> {
  for (const [key, value] of Object.entries(raw)) {
    const code = currentCode(object, key);
    const type = builtInType(object, code);
    // a former name counts only when the current one is not there as well; the `label` of a
    // webhook is one of several labels, so it is no statement about `label_ids`
    if (type === undefined || key === 'label' || (code !== key && code in raw)) continue;
    yield [code, normaliseValue(type, comparable(object, { code, value, raw }))];
  }
  // of the participants only the primary one is a field
  if (object === 'activity' && !('person_id' in raw) && Array.isArray(raw.participants)) {
    yield ['person_id', normaliseValue('people', primaryOf(raw.participants))];
  }
}

/** The value as the other versions would give it, where one of them has its own way. */
function comparable(
  object: PipedriveObject,
  { code, value, raw }: { code: string; value: unknown; raw: Json },
): unknown {
  if (object === 'deal' && code === 'value' && !isJson(value) && 'currency' in raw) {
    return { value, currency: raw.currency };
  }
  if (object === 'product' && code === 'prices' && Array.isArray(value)) {
    const first: unknown = value[0];
    return isJson(first) ? { value: first.price, currency: first.currency } : null;
  }
  if (object === 'activity' && activityTimes.has(code)) {
    const time = isJson(value) ? value.value : value;
    return typeof time === 'string' && /^\d+:\d\d$/.test(time) ? `${time}:00` : time;
  }
  return value;
}

function primaryOf(participants: readonly unknown[]): unknown {
  return participants.filter(isJson).find(isPrimary)?.person_id;
}

function* customValues(
  object: PipedriveObject,
  raw: Json,
  definitions: readonly FieldDefinition[],
): Generator<[string, FieldValue]> {
  const types = customTypes(definitions);
  const nested = isJson(raw.custom_fields) ? raw.custom_fields : undefined;
  const source = nested ?? raw;
  // v1 leaves unset custom fields out; in v2 an absent key was not asked for
  if (nested === undefined && object === 'lead')
    for (const code of types.keys()) yield [code, null];
  for (const [code, value] of Object.entries(source)) {
    if (!isCustomCode(code)) continue;
    const whole = nested === undefined ? gather(source, code, value) : value;
    yield [code, normaliseValue(types.get(code) ?? 'unknown', whole)];
  }
}

const typesOf = new WeakMap<readonly FieldDefinition[], Map<string, FieldType>>();

/** Remembered per catalogue: a page asks 500 times for the same one. */
function customTypes(definitions: readonly FieldDefinition[]): Map<string, FieldType> {
  const known = typesOf.get(definitions);
  if (known !== undefined) return known;
  const custom = definitions.filter((definition) => definition.custom);
  const types = new Map(custom.map(({ code, type }) => [code, type]));
  typesOf.set(definitions, types);
  return types;
}

/** Puts the parts v1 keeps beside a value together with it. */
function gather(source: Json, code: string, value: unknown): unknown {
  if (isJson(value) || value === null) return value;
  const parts = flatParts.flatMap((part) => {
    const key = `${code}_${part}`;
    return key in source ? [[part, source[key]]] : [];
  });
  return parts.length === 0 ? value : { value, ...Object.fromEntries(parts) };
}

function isDeleted(object: PipedriveObject, raw: Json): boolean {
  if (typeof raw.is_deleted === 'boolean') return raw.is_deleted;
  // a user with `active_flag` false is deactivated, not gone
  return object !== 'user' && raw.active_flag === false;
}
