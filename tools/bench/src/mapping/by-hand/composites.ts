import type { ChannelValue, Money, Range } from '@manifold/contracts';
import { type Losses, type Maybe, reduce, withhold } from './losses.ts';
import { dateIn, isNothing, isObject, timeIn } from './texts.ts';

export function readTime(value: unknown, rowId: string, losses: Losses): Maybe<string> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  const said = isObject(value) ? value.value : undefined;
  const read = typeof said === 'string' ? timeIn(said) : undefined;
  if (read === undefined) return withhold(losses, rowId, 'shape_unexpected');
  if (isObject(value) && typeof value.timezoneId === 'number') {
    reduce(losses, rowId, 'timezone_dropped');
  }
  return read;
}

export function readTimeRange(value: unknown, rowId: string, losses: Losses): Maybe<Range> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  if (!isObject(value)) return withhold(losses, rowId, 'shape_unexpected');
  const start = typeof value.value === 'string' ? timeIn(value.value) : value.value;
  const end = typeof value.until === 'string' ? timeIn(value.until) : value.until;
  const fits =
    (start === null || typeof start === 'string') && (end === null || typeof end === 'string');
  if (!fits) return withhold(losses, rowId, 'shape_unexpected');
  if (start === null && end === null) return null;
  if (typeof value.timezoneId === 'number') reduce(losses, rowId, 'timezone_dropped');
  return { start, end };
}

/** One end of a range of dates. */
export function readRangeEnd(
  value: unknown,
  end: 'value' | 'until',
  rowId: string,
  losses: Losses,
): Maybe<string> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  const said = isObject(value) ? value[end] : undefined;
  if (said === null) return null;
  const read = typeof said === 'string' ? dateIn(said) : undefined;
  return read ?? withhold(losses, rowId, 'shape_unexpected');
}

const isMoney = (value: unknown): value is { value: number; currency: string | null } =>
  isObject(value) &&
  Number.isFinite(value.value) &&
  (value.currency === null || typeof value.currency === 'string');

export function readMoney(value: unknown, rowId: string, losses: Losses): Maybe<Money> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  if (!isMoney(value)) return withhold(losses, rowId, 'shape_unexpected');
  return { amount: value.value, currency: value.currency };
}

export function readAmount(value: unknown, rowId: string, losses: Losses): Maybe<number> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  return isMoney(value) ? value.value : withhold(losses, rowId, 'shape_unexpected');
}

export function readCurrency(value: unknown, rowId: string, losses: Losses): Maybe<string> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  if (!isMoney(value)) return withhold(losses, rowId, 'shape_unexpected');
  return isNothing(value.currency) ? null : value.currency;
}

/** The amount alone, where one variable has to do. */
export function readRevenue(value: unknown, rowId: string, losses: Losses): Maybe<number> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  if (!isMoney(value)) return withhold(losses, rowId, 'shape_unexpected');
  if (value.currency !== null) reduce(losses, rowId, 'currency_dropped');
  return value.value;
}

const isChannels = (value: unknown): value is ChannelValue[] =>
  Array.isArray(value) &&
  value.every(
    (item) =>
      isObject(item) &&
      typeof item.value === 'string' &&
      typeof item.label === 'string' &&
      typeof item.primary === 'boolean',
  );

export function readChannels(value: unknown, rowId: string, losses: Losses): Maybe<ChannelValue[]> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  return isChannels(value) ? value : withhold(losses, rowId, 'shape_unexpected');
}

export function readPrimary(value: unknown, rowId: string, losses: Losses): Maybe<string> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  if (!isChannels(value)) return withhold(losses, rowId, 'shape_unexpected');
  const chosen = value.find((item) => item.primary) ?? value[0];
  return chosen === undefined || isNothing(chosen.value) ? null : chosen.value;
}

export function readAddressPart(
  value: unknown,
  part: 'value' | 'locality',
  rowId: string,
  losses: Losses,
): Maybe<string> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  const said = isObject(value) && typeof value.value === 'string' ? value[part] : undefined;
  if (said === null || typeof said === 'string') return isNothing(said) ? null : said;
  return withhold(losses, rowId, 'shape_unexpected');
}
