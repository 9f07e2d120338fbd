import type { VariableType, VariableValue } from '@manifold/contracts';
import { isChannels, isJson } from './field-shapes.ts';
import { type ToVariable, withheld } from './conversion.ts';
import { readDate, readInstant, readTime } from './texts.ts';

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === 'string';

// by hand: these run once per value, and a parser takes ten times as long
const isMoney = (value: unknown): boolean =>
  isJson(value) && Number.isFinite(value.amount) && isTextOrNull(value.currency);

const isRangeOf =
  (isEnd: (text: unknown) => boolean) =>
  (value: unknown): boolean => {
    if (!isJson(value) || !isTextOrNull(value.start) || !isTextOrNull(value.end)) return false;
    const ends = [value.start, value.end].filter((text) => text !== null);
    return ends.length > 0 && ends.every(isEnd);
  };

const isDate = (text: unknown): boolean => isText(text) && readDate(text) === text;
const isTime = (text: unknown): boolean => isText(text) && readTime(text) === text;

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

const checks: Record<VariableType, (value: unknown) => boolean> = {
  text: isText,
  option: isText,
  email: isText,
  phone: isText,
  number: isNumber,
  boolean: (value) => typeof value === 'boolean',
  date: isDate,
  time: isTime,
  datetime: (value) => isText(value) && readInstant(value) === value,
  multiple_options: (value) => Array.isArray(value) && value.every(isText),
  money: isMoney,
  date_range: isRangeOf(isDate),
  time_range: isRangeOf(isTime),
  email_list: isChannels,
  phone_list: isChannels,
};

/** Whether a value that is not empty has the shape of its type. */
export const isValueOf = (type: VariableType, value: unknown): boolean => checks[type](value);

const unexpected = withheld('shape_unexpected');

/** Reads a value that claims to be of a type, as it is. */
export const readingAs = (type: VariableType): ToVariable => {
  const fits = checks[type];
  // the check saw to the shape
  return (value) => (fits(value) ? { value: value as VariableValue } : unexpected);
};

/** The type a value given without one must be; ranges of dates and times are told apart by content. */
export function typeOfValue(value: NonNullable<VariableValue>): VariableType {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (Array.isArray(value)) return typeof value[0] === 'object' ? 'email_list' : 'multiple_options';
  if ('amount' in value) return 'money';
  return isValueOf('time_range', value) ? 'time_range' : 'date_range';
}
