import type { Issue } from '../http/problem.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { isDate } from '../times.ts';
import { ADDRESS_PARTS, type Field } from './field.ts';
import { isTimeZone, timeZoneId } from './time-zones.ts';

/** What the values of a field may point at, and the time zone of the user who writes. */
export interface ValueContext {
  isUser: (id: number) => boolean;
  timeZone: string;
  currency: string;
}

export type Checked = { value: Json } | { wrong: string };

const TEXT_LIMITS: Record<string, number> = {
  varchar: 255,
  varchar_auto: 255,
  phone: 255,
  text: 65_535,
};

/** Brings one written custom value to the form it is stored and served in, or says what is wrong. */
export function checkCustomValue(field: Field, value: Json, context: ValueContext): Checked {
  if (value === null) return { value: null };
  const limit = TEXT_LIMITS[field.type];
  if (limit !== undefined) return checkText(value, limit);
  switch (field.type) {
    case 'double':
      return typeof value === 'number' ? { value } : { wrong: 'Expected number' };
    case 'enum':
      return hasOption(field, value) ? { value } : { wrong: 'Invalid option' };
    case 'set':
      return checkSet(field, value);
    case 'date':
      return typeof value === 'string' && isDate(value) ? { value } : { wrong: 'Expected a date' };
    case 'user':
      return typeof value === 'number' && context.isUser(value)
        ? { value }
        : { wrong: 'No such user' };
    case 'org':
    case 'people':
      return isId(value) ? { value } : { wrong: 'Expected an id' };
    default:
      return isObject(value) ? checkParts(field, value, context) : { wrong: 'Expected object' };
  }
}

function checkText(value: Json, limit: number): Checked {
  if (typeof value !== 'string') return { wrong: 'Expected string' };
  return value.length <= limit
    ? { value }
    : { wrong: `String must contain at most ${limit} character(s)` };
}

function checkSet(field: Field, value: Json): Checked {
  if (!Array.isArray(value)) return { wrong: 'Expected array' };
  if (value.length === 0) return { wrong: 'Array must contain at least 1 element(s)' };
  if (new Set(value).size < value.length) return { wrong: 'Options must be unique' };
  return value.every((id) => hasOption(field, id)) ? { value } : { wrong: 'Invalid option' };
}

function checkParts(field: Field, value: JsonObject, context: ValueContext): Checked {
  switch (field.type) {
    case 'monetary':
      return checkMoney(value, context);
    case 'address':
      return checkAddress(value);
    case 'daterange':
      return checkRange(value, isDateText, {});
    case 'time':
    case 'timerange':
      return checkTime(field.type, value, context);
    default:
      return { wrong: 'Parameter is not writable' };
  }
}

function checkMoney(value: JsonObject, context: ValueContext): Checked {
  const stray = strayKey(value, ['value', 'currency']);
  if (stray !== undefined) return stray;
  const { value: amount, currency = context.currency } = value;
  if (typeof amount !== 'number') return { wrong: 'Expected number in value' };
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency))
    return { wrong: 'Expected a currency code' };
  return { value: { value: amount, currency } };
}

/** Parts that are left out become null, on create and on update alike. */
export function checkAddress(value: JsonObject): Checked {
  const stray = strayKey(value, ADDRESS_PARTS);
  if (stray !== undefined) return stray;
  if (typeof value.value !== 'string') return { wrong: 'Expected string in value' };
  const wrong = ADDRESS_PARTS.find((part) => !isNullableText(value[part] ?? null));
  if (wrong !== undefined) return { wrong: `Expected string in ${wrong}` };
  return { value: Object.fromEntries(ADDRESS_PARTS.map((part) => [part, value[part] ?? null])) };
}

function checkTime(type: 'time' | 'timerange', value: JsonObject, context: ValueContext): Checked {
  const { timezone_id: id, timezone_name: name = context.timeZone, ...times } = value;
  if (id !== undefined && id !== null && typeof id !== 'number')
    return { wrong: 'Expected number in timezone_id' };
  if (typeof name !== 'string' || !isTimeZone(name)) return { wrong: 'Unknown timezone_name' };
  const zone = { timezone_id: timeZoneId(name), timezone_name: name };
  const padded = Object.fromEntries(
    Object.entries(times).map(([key, time]) => [key, padSeconds(time)]),
  );
  if (type === 'timerange') return checkRange(padded, isTimeText, zone);
  const stray = strayKey(padded, ['value']);
  if (stray !== undefined) return stray;
  return isTimeText(padded.value)
    ? { value: { value: padded.value ?? null, ...zone } }
    : { wrong: 'Expected a time in value' };
}

function checkRange(
  value: JsonObject,
  isPart: (part: Json | undefined) => boolean,
  more: JsonObject,
): Checked {
  const stray = strayKey(value, ['value', 'until']);
  if (stray !== undefined) return stray;
  const { value: from = null, until = null } = value;
  if (!isPart(from)) return { wrong: 'Invalid value' };
  return isPart(until) ? { value: { value: from, until, ...more } } : { wrong: 'Invalid until' };
}

function strayKey(value: JsonObject, allowed: readonly string[]): { wrong: string } | undefined {
  const stray = Object.keys(value).find((key) => !allowed.includes(key));
  return stray === undefined
    ? undefined
    : { wrong: `Parameter '${stray}' is not allowed for this request` };
}

function hasOption(field: Field, value: Json): boolean {
  return field.options?.some((option) => option.id === value) ?? false;
}

function isId(value: Json): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function isNullableText(value: Json): boolean {
  return value === null || typeof value === 'string';
}

function isDateText(value: Json | undefined): boolean {
  return typeof value === 'string' && isDate(value);
}

function isTimeText(value: Json | undefined): boolean {
  return typeof value === 'string' && /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/.test(value);
}

function padSeconds(time: Json): Json {
  return typeof time === 'string' && /^\d\d:\d\d$/.test(time) ? `${time}:00` : time;
}

/** Checks the whole `custom_fields` object of a body; unknown and deleted codes are refused. */
export function checkCustomFields(
  values: Json | undefined,
  fields: (code: string) => Field | undefined,
  context: ValueContext,
): { values: JsonObject; issues: Issue[] } {
  const accepted: JsonObject = {};
  const issues: Issue[] = [];
  if (values === undefined) return { values: accepted, issues };
  if (!isObject(values))
    return { values: accepted, issues: [{ key: 'custom_fields', message: 'Expected object' }] };
  for (const [code, value] of Object.entries(values)) {
    const field = fields(code);
    const checked: Checked =
      field === undefined || !field.custom
        ? { wrong: `Parameter '${code}' is not allowed for this request` }
        : checkCustomValue(field, value, context);
    if ('wrong' in checked) issues.push({ key: `custom_fields.${code}`, message: checked.wrong });
    else accepted[code] = checked.value;
  }
  return { values: accepted, issues };
}
