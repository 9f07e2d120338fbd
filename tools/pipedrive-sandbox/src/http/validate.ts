import { isObject, type Json } from '../json.ts';
import type { Operation, QueryParameter, ValueSchema } from '../operations.ts';
import { isDate, readWholeSeconds } from '../times.ts';
import type { Issue } from './problem.ts';

const TIMES = new Set(['updated_since', 'updated_until']);

/** v2 refuses parameters it does not know; v1 ignores them. */
export function checkQuery(operation: Operation, query: URLSearchParams): Issue[] {
  const issues: Issue[] = [];
  for (const [key, value] of query) {
    const parameter = operation.query[key];
    if (parameter === undefined) {
      if (operation.version === 'v2') issues.push(notAllowed(key));
      continue;
    }
    const message = checkParameter(key, parameter, value);
    if (message !== undefined) issues.push({ key, message });
  }
  for (const [key, parameter] of Object.entries(operation.query))
    if (parameter.required && !query.has(key)) issues.push({ key, message: 'Required' });
  return issues;
}

function checkParameter(key: string, parameter: QueryParameter, text: string): string | undefined {
  const { type } = parameter;
  if (type === 'integer' && !/^-?\d{1,15}$/.test(text)) return 'Expected number, received string';
  if (type === 'number' && !Number.isFinite(Number(text)))
    return 'Expected number, received string';
  if (type === 'boolean' && text !== 'true' && text !== 'false')
    return 'Expected boolean, received string';
  if (TIMES.has(key) && readWholeSeconds(text) === undefined) return 'not a valid datetime';
  const allowed = parameter.enum;
  if (allowed === undefined || key === 'sort') return undefined;
  const values = parameter.list ? text.split(',') : [text];
  const wrong = values.find((value) => !allowed.includes(value.trim()));
  if (wrong === undefined) return undefined;
  return `Invalid value '${wrong}', expected ${allowed.join(' | ')}`;
}

/** Checks a body as strictly as v2 does: no unknown keys, no coercion. */
export function checkBody(schema: ValueSchema, value: Json, key = 'body'): Issue[] {
  if (value === null) return schema.nullable ? [] : [{ key, message: expected(schema, value) }];
  if (schema.type === 'array' && Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    return value.flatMap((item, at) => checkBody(items, item, `${inner(key)}[${at}]`));
  }
  if (schema.type === 'object' && isObject(value)) return checkObject(schema, value, key);
  if (!isOf(schema.type, value)) return [{ key, message: expected(schema, value) }];
  return checkPlain(schema, value, key);
}

function checkObject(schema: ValueSchema, value: Record<string, Json>, key: string): Issue[] {
  const { properties = {}, required = [] } = schema;
  const path = (name: string) => (key === 'body' ? name : `${key}.${name}`);
  const missing = required
    .filter((name) => value[name] === undefined)
    .map((name) => ({ key: path(name), message: 'Required' }));
  const wrong = Object.entries(value).flatMap(([name, item]) => {
    const property = properties[name];
    if (property !== undefined) return checkBody(property, item, path(name));
    return schema.open ? [] : [{ ...notAllowed(name), key: path(name) }];
  });
  return [...missing, ...wrong];
}

function checkPlain(schema: ValueSchema, value: Json, key: string): Issue[] {
  if (schema.enum && typeof value !== 'object' && !schema.enum.some((allowed) => allowed === value))
    return [{ key, message: `Invalid value, expected ${schema.enum.join(' | ')}` }];
  if (typeof value !== 'string') return [];
  if (schema.format === 'date' && !isDate(value)) return [{ key, message: 'not a valid date' }];
  if (schema.maxLength !== undefined && value.length > schema.maxLength)
    return [{ key, message: `String must contain at most ${schema.maxLength} character(s)` }];
  return [];
}

function isOf(type: ValueSchema['type'], value: Json): boolean {
  if (type === 'any') return true;
  if (type === 'integer') return Number.isSafeInteger(value);
  if (type === 'number') return typeof value === 'number';
  return typeof value === type && type !== 'object';
}

function expected(schema: ValueSchema, value: Json): string {
  const received = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const wanted = schema.type === 'integer' ? 'number' : schema.type;
  return received === wanted
    ? 'Expected integer, received float'
    : `Expected ${wanted}, received ${received}`;
}

function notAllowed(key: string): Issue {
  return { key, message: `Parameter '${key}' is not allowed for this request` };
}

function inner(key: string): string {
  return key === 'body' ? '' : key;
}
