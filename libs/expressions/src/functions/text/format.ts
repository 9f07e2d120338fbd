import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { stop } from '../../failures.ts';
import { RUN_LIMITS } from '../../limits.ts';
import { durationText } from '../time/durations.ts';
import { instantText } from '../time/instants.ts';

const CLAUSE = /%(?:%|(?:\.(\d{1,4}))?([a-zA-Z]))?/g;

/** `'%s has %d'.format([name, count])`: %s, %d, %f, %e, %b, %o, %x and %X. */
export function formatText(pattern: string, values: unknown[]): string {
  let next = 0;
  let size = 0;
  const text = pattern.replace(CLAUSE, (clause, precision?: string, letter?: string) => {
    if (clause === '%%') return '%';
    if (letter === undefined || next >= values.length) return stop('bad_value');
    const digits = precision === undefined ? 6 : Number(precision);
    if (digits > 100) return stop('out_of_range');
    const made = clauseText(letter, values[next++], digits);
    size += made.length;
    return size > RUN_LIMITS.textChars ? stop('too_large') : made;
  });
  return next < values.length ? stop('bad_value') : text;
}

function clauseText(letter: string, value: unknown, digits: number): string {
  const given = value instanceof UnsignedInt ? value.value : value;
  switch (letter) {
    case 's':
      return shown(given, 0);
    case 'd':
      return typeof given === 'bigint' ? `${given}` : special(given);
    case 'f':
      return fixed(given, digits);
    case 'e':
      return scientific(given, digits);
    case 'b':
      return typeof given === 'boolean' ? (given ? '1' : '0') : whole(given).toString(2);
    case 'o':
      return whole(given).toString(8);
    case 'x':
      return hexadecimal(given);
    case 'X':
      return hexadecimal(given).toUpperCase();
    default:
      return stop('bad_value');
  }
}

const whole = (value: unknown): bigint => (typeof value === 'bigint' ? value : stop('wrong_type'));

function special(value: unknown): string {
  const number = value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? +value : value;
  return typeof number === 'number' && !Number.isFinite(number) ? `${number}` : stop('wrong_type');
}

function fixed(value: unknown, digits: number): string {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return special(number);
  return new Intl.NumberFormat('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    roundingMode: 'halfEven',
    useGrouping: false,
  }).format(number);
}

function scientific(value: unknown, digits: number): string {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return special(number);
  return number.toExponential(digits).replace(/e([-+])(\d)$/, 'e$10$2');
}

function hexadecimal(value: unknown): string {
  if (typeof value === 'bigint') return value.toString(16);
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : stop('wrong_type');
}

/** A value as people would write it; how deep it may be is bounded like every value here. */
function shown(value: unknown, depth: number): string {
  if (depth > 64) return stop('too_large');
  if (Array.isArray(value)) return bounded(`[${joined(value, (item) => shown(item, depth + 1))}]`);
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => [shown(key, depth + 1), item] as const);
    const sorted = entries.toSorted(([one], [other]) => (one < other ? -1 : 1));
    return bounded(`{${joined(sorted, ([key, item]) => `${key}: ${shown(item, depth + 1)}`)}}`);
  }
  if (value instanceof UnsignedInt) return `${value.value}`;
  if (value instanceof Date) return instantText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value === 'object' && value !== null) return typeName(value);
  return String(value);
}

// types are values too, and the only other objects
function typeName(value: object): string {
  return 'name' in value && typeof value.name === 'string' ? value.name : stop('wrong_type');
}

function joined<Item>(items: readonly Item[], write: (item: Item) => string): string {
  let text = '';
  for (const item of items) text = bounded(text === '' ? write(item) : `${text}, ${write(item)}`);
  return text;
}

const bounded = (text: string): string =>
  text.length > RUN_LIMITS.textChars ? stop('too_large') : text;
