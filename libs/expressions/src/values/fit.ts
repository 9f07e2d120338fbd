import type { VariableType } from '@manifold/contracts';
import { Optional } from '@marcbachmann/cel-js';
import { UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { stop } from '../failures.ts';
import { readDay, readInstant } from '../functions/time/instants.ts';
import { type ResultValue, resultOf } from './result.ts';

/** How a result becomes a value of a variable type; undefined when it is not one. */
type Fit = (value: unknown) => ResultValue | undefined;

interface Wanted {
  /** Types the checker may find; anything may be found only when it is evaluated. */
  readonly types: readonly string[];
  readonly fit: Fit;
}

const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof UnsignedInt;

const number: Fit = (value) => {
  if (!isNumber(value)) return undefined;
  const result = resultOf(value);
  // a number field cannot hold what is only exact as text
  return typeof result === 'number' ? result : stop('number_overflow');
};

const text: Fit = (value) => {
  const result = resultOf(value);
  return typeof result === 'object' ? undefined : String(result);
};

const label: Fit = (value) =>
  isNumber(value) || typeof value === 'string' ? text(value) : undefined;

const matching =
  (isRight: (value: string) => boolean): Fit =>
  (value) =>
    typeof value === 'string' && isRight(value) ? resultOf(value) : undefined;

const instant: Fit = (value) => {
  const date = typeof value === 'string' ? (readInstant(value) ?? readDay(value)) : value;
  return date instanceof Date ? resultOf(date) : undefined;
};

const slice =
  (start: number, end: number): Fit =>
  (value) => {
    const result = value instanceof Date ? resultOf(value) : undefined;
    return typeof result === 'string' ? result.slice(start, end) : undefined;
  };

const either =
  (...fits: Fit[]): Fit =>
  (value) => {
    for (const fit of fits) {
      const fitted = fit(value);
      if (fitted !== undefined) return fitted;
    }
    return undefined;
  };

const isDay = (value: string): boolean => readDay(value) !== undefined;
const isTime = (value: string): boolean => /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/.test(value);

const texts: Fit = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')
    ? resultOf(value)
    : undefined;

const isShort = (value: string): boolean => value !== '' && value.length <= 254;

const channels: Fit = (value) => {
  const list = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string' && isShort(item))) {
    return undefined;
  }
  return list.map((item: string, at) => ({ value: item, label: 'work', primary: at === 0 }));
};

/** A map with these members and no others; those left out are null. */
const members =
  (fits: Readonly<Record<string, Fit>>): Fit =>
  (value) => {
    if (!(value instanceof Map)) return undefined;
    if ([...value.keys()].some((key) => typeof key !== 'string' || !Object.hasOwn(fits, key))) {
      return undefined;
    }
    const made = Object.entries(fits).map(([key, fit]) => {
      const member: unknown = value.get(key) ?? null;
      return [key, member === null ? null : fit(member)] as const;
    });
    return made.some(([, member]) => member === undefined)
      ? undefined
      : Object.fromEntries(made.map(([key, member]) => [key, member ?? null]));
  };

const currency = matching((value) => /^[A-Z]{3}$/.test(value));
const parts: Fit = (value) => {
  const made = members({ amount: number, currency })(value);
  return made !== null && typeof made === 'object' && 'amount' in made && made.amount !== null
    ? made
    : undefined;
};
const amount: Fit = (value) => {
  const made = number(value);
  return made === undefined ? undefined : { amount: made, currency: null };
};
const money = either(parts, amount);

const day = either(matching(isDay), slice(0, 10));
const time = either(matching(isTime), slice(11, 19));

const SCALARS = ['string', 'int', 'uint', 'double', 'bool', 'timestamp', 'duration'];
const email = matching((value) => isShort(value) && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value));
const phone = matching((value) => value.length <= 64 && /\d\D*\d\D*\d/.test(value));

const wanted: Record<VariableType, Wanted> = {
  text: { types: SCALARS, fit: text },
  number: { types: ['int', 'uint', 'double'], fit: number },
  boolean: { types: ['bool'], fit: (value) => (typeof value === 'boolean' ? value : undefined) },
  date: { types: ['timestamp', 'string'], fit: day },
  datetime: { types: ['timestamp', 'string'], fit: instant },
  time: { types: ['timestamp', 'string'], fit: time },
  option: { types: ['string', 'int', 'uint', 'double'], fit: label },
  multiple_options: { types: ['list<string>'], fit: texts },
  money: { types: ['int', 'uint', 'double', 'map'], fit: money },
  date_range: { types: ['map'], fit: members({ start: day, end: day }) },
  time_range: { types: ['map'], fit: members({ start: time, end: time }) },
  email: { types: ['string'], fit: email },
  email_list: { types: ['string', 'list<string>'], fit: channels },
  phone: { types: ['string'], fit: phone },
  phone_list: { types: ['string', 'list<string>'], fit: channels },
};

/** The types of the language that a field of this type takes. */
export const typesFor = (type: VariableType): readonly string[] => wanted[type].types;

/** Lists of which the checker does not know what is in them. */
const OPEN_LISTS = ['list<string>', 'list', 'list<T>'];

/** Whether a checked type fits; what is only known later is checked with every result. */
export function isFitting(found: string, type: VariableType): boolean {
  const { types } = wanted[type];
  if (found === 'dyn' || found === 'null' || types.includes(found)) return true;
  if (OPEN_LISTS.includes(found)) return types.includes('list<string>');
  return /^(map|record)\b/.test(found) && types.includes('map');
}

/** The result as a value of the type, or a refusal. Null empties the field. */
export function fitResult(value: unknown, type: VariableType): ResultValue {
  const found: unknown = value instanceof Optional ? value.orValue(null) : value;
  if (found === null) return null;
  return wanted[type].fit(found) ?? stop('wrong_result');
}
