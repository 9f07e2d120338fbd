import type { AddressValue, ChannelValue, FieldValue, OptionId } from '@manifold/contracts';

/** A JSON object of unknown content. */
export type Json = Record<string, unknown>;

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 3339 UTC from any of Pipedrive's forms of an instant; null when it is none. */
export function toInstant(value: unknown): string | null {
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    // seconds of the year 5138, milliseconds of 1973
    return fromDate(new Date(Math.abs(value) > 1e11 ? value : value * 1000));
  }
  if (typeof value !== 'string') return null;
  const zoneless = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/.exec(value);
  return fromDate(new Date(zoneless === null ? value : `${zoneless[1]}T${zoneless[2]}Z`));
}

const fromDate = (date: Date): string | null =>
  Number.isNaN(date.getTime()) ? null : date.toISOString().replace('.000Z', 'Z');

export function toNumber(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

export function toBoolean(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  if (value === 1 || value === '1') return true;
  return value === 0 || value === '0' ? false : null;
}

export function toText(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Ids of custom options are numbers, in v1 written as text; built-in ones may be words. */
export function toOptionId(value: unknown): OptionId | null {
  const id = isJson(value) ? value.id : value;
  if (typeof id === 'string') return /^\d{1,15}$/.test(id) ? Number(id) : id || null;
  return toNumber(id);
}

export function toOptionIds(value: unknown): number[] | string[] | null {
  const list = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(',')
      : [value];
  const ids = list.map(toOptionId).filter((id) => id !== null);
  if (ids.length === 0) return null;
  const numbers = ids.filter((id) => typeof id === 'number');
  return numbers.length === ids.length ? numbers : ids.map(String);
}

export function toMonetary(value: unknown): FieldValue {
  if (!isJson(value)) {
    const amount = toNumber(value);
    return amount === null ? null : { value: amount, currency: null };
  }
  const amount = toNumber(value.value ?? value.amount);
  return amount === null ? null : { value: amount, currency: toText(value.currency) };
}

export function toRange(value: unknown, timed: boolean): FieldValue {
  if (!isJson(value)) return null;
  const range = { value: toText(value.value ?? value.from), until: toText(value.until) };
  if (range.value === null && range.until === null) return null;
  return timed ? { ...range, timezoneId: toNumber(value.timezone_id) } : range;
}

export function toTime(value: unknown): FieldValue {
  const time = toText(isJson(value) ? value.value : value);
  if (time === null) return null;
  return { value: time, timezoneId: isJson(value) ? toNumber(value.timezone_id) : null };
}

export function toAddress(value: unknown): AddressValue | null {
  const parts: Json = isJson(value) ? value : { value };
  const whole = toText(parts.value);
  if (whole === null) return null;
  return {
    value: whole,
    country: toText(parts.country),
    admin_area_level_1: toText(parts.admin_area_level_1),
    admin_area_level_2: toText(parts.admin_area_level_2),
    locality: toText(parts.locality),
    sublocality: toText(parts.sublocality),
    route: toText(parts.route),
    street_number: toText(parts.street_number),
    subpremise: toText(parts.subpremise),
    postal_code: toText(parts.postal_code),
    formatted_address: toText(parts.formatted_address),
  };
}

/** Blank entries go; when none is marked, the first is the primary one, as Pipedrive has it. */
export function toChannels(value: unknown): ChannelValue[] | null {
  const list = Array.isArray(value) ? value : [{ value }];
  const channels = list.flatMap((item) => {
    const text = isJson(item) ? toText(item.value) : toText(item);
    if (text === null) return [];
    const label = isJson(item) ? (toText(item.label) ?? 'work') : 'work';
    return [{ value: text, label, primary: isJson(item) && item.primary === true }];
  });
  const [first, ...others] = channels;
  if (first === undefined) return null;
  return others.concat(first).some(({ primary }) => primary)
    ? channels
    : [{ ...first, primary: true }, ...others];
}
