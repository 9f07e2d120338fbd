import type { ChannelValue, LossReason, Money, Range, VariableType } from '@manifold/contracts';
import { type ToVariable, unchanged, withheld } from './conversion.ts';
import {
  readBoolean,
  readDate,
  readEmail,
  readInstant,
  readNumber,
  readPhone,
  readTime,
} from './texts.ts';

type Row = Partial<Record<VariableType, ToVariable>>;

/** A conversion from a value whose shape is already known to fit the type it comes from. */
const from =
  <Given>(turn: (value: Given) => ReturnType<ToVariable>): ToVariable =>
  // whoever read the value made it fit
  (value) =>
    turn(value as Given);

const read = <Value extends string | number | boolean>(
  reader: (text: string) => Value | undefined,
  otherwise: LossReason,
) =>
  from<string>((text) => {
    const value = reader(text);
    return value === undefined ? withheld(otherwise) : { value };
  });

const listOf = (reader: (text: string) => string | undefined, otherwise: LossReason) =>
  from<string>((text) => {
    const value = reader(text);
    return value === undefined
      ? withheld(otherwise)
      : { value: [{ value, label: 'work', primary: true }] };
  });

const words = from<string>((text) => ({
  value: text.split(',').flatMap((word) => word.trim() || []),
}));

const amountOnly = (turn: (amount: number) => string | number) =>
  from<Money>(({ amount, currency }) =>
    currency === null ? { value: turn(amount) } : { value: turn(amount), loss: 'currency_dropped' },
  );

const startOnly = (turn: (start: string) => string) =>
  from<Range>(({ start, end }) => {
    if (start === null) return withheld('range_end_dropped');
    return end === null
      ? { value: turn(start) }
      : { value: turn(start), loss: 'range_end_dropped' };
  });

const interval = from<Range>(({ start, end }) => ({ value: `${start ?? '..'}/${end ?? '..'}` }));

const primaryOnly = from<ChannelValue[]>((list) => {
  const chosen = list.find(({ primary }) => primary) ?? list[0];
  if (chosen === undefined) return { value: null };
  return list.length > 1
    ? { value: chosen.value, loss: 'extra_values_dropped' }
    : { value: chosen.value };
});

const joined = from<ChannelValue[]>((list) => ({
  value: list.map(({ value }) => value).join(','),
}));

const midnight = from<string>((date) => ({ value: `${date}T00:00:00Z` }));

const dayOnly = from<string>((instant) =>
  instant.includes('T00:00:00Z')
    ? { value: instant.slice(0, 10) }
    : { value: instant.slice(0, 10), loss: 'time_dropped' },
);

/** Every conversion there is: from the outer type to the inner one. What is not here does not compile. */
const conversions: Record<VariableType, Row> = {
  text: {
    text: unchanged,
    option: from<string>((text) => ({ value: text.trim() })),
    multiple_options: words,
    number: read(readNumber, 'not_a_number'),
    boolean: read(readBoolean, 'not_a_boolean'),
    date: read(readDate, 'not_a_date'),
    datetime: read(readInstant, 'not_a_date'),
    time: read(readTime, 'not_a_time'),
    email: read(readEmail, 'not_an_email'),
    email_list: listOf(readEmail, 'not_an_email'),
    phone: read(readPhone, 'not_a_phone'),
    phone_list: listOf(readPhone, 'not_a_phone'),
  },
  number: {
    number: unchanged,
    text: from<number>((value) => ({ value: String(value) })),
    option: from<number>((value) => ({ value: String(value) })),
    money: from<number>((amount) => ({ value: { amount, currency: null } })),
    boolean: from<number>((value) =>
      value === 0 || value === 1 ? { value: value === 1 } : withheld('not_a_boolean'),
    ),
  },
  boolean: {
    boolean: unchanged,
    text: from<boolean>((value) => ({ value: String(value) })),
    option: from<boolean>((value) => ({ value: value ? 'yes' : 'no' })),
    number: from<boolean>((value) => ({ value: value ? 1 : 0 })),
  },
  date: { date: unchanged, text: unchanged, datetime: midnight },
  datetime: { datetime: unchanged, text: unchanged, date: dayOnly },
  time: { time: unchanged, text: unchanged },
  option: {
    option: unchanged,
    text: unchanged,
    multiple_options: from<string>((label) => ({ value: [label] })),
    number: read(readNumber, 'not_a_number'),
    boolean: read(readBoolean, 'not_a_boolean'),
  },
  multiple_options: {
    multiple_options: unchanged,
    text: from<string[]>((labels) => ({ value: labels.join(',') })),
    option: from<string[]>(([first = null, ...others]) =>
      others.length === 0 ? { value: first } : { value: first, loss: 'extra_values_dropped' },
    ),
  },
  money: {
    money: unchanged,
    number: amountOnly((amount) => amount),
    text: amountOnly(String),
  },
  date_range: {
    date_range: unchanged,
    text: interval,
    date: startOnly((start) => start),
    datetime: startOnly((start) => `${start}T00:00:00Z`),
  },
  time_range: {
    time_range: unchanged,
    text: interval,
    time: startOnly((start) => start),
  },
  email: { email: unchanged, text: unchanged, email_list: listOf(readEmail, 'not_an_email') },
  email_list: {
    email_list: unchanged,
    email: primaryOnly,
    text: joined,
  },
  phone: { phone: unchanged, text: unchanged, phone_list: listOf(readPhone, 'not_a_phone') },
  phone_list: {
    phone_list: unchanged,
    phone: primaryOnly,
    text: joined,
  },
};

/** Whether a value of one type can become one of another, perhaps with a stated loss. */
export const isConvertible = (source: VariableType, target: VariableType): boolean =>
  conversions[source][target] !== undefined;

/** The conversion between two types, for values that fit the first; undefined when there is none. */
export const conversionOf = (source: VariableType, target: VariableType): ToVariable | undefined =>
  conversions[source][target];
