import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { stop } from '../failures.ts';
import type { Meter } from '../meter.ts';
import { inInt64 } from './conversions.ts';
import type { DefinitionsWith } from './definition.ts';
import { isEqual } from './equality.ts';

const COMPARED_PER_STEP = 4_096;

export const listFunctions: DefinitionsWith = (meter) => ({
  'list<A>.distinct(): list<A>': (list: unknown[]) => distinct(list, meter),
  'list<A>.sort(): list<A>': (list: unknown[]) => {
    meter.charge(list.length * 4);
    return list.toSorted(comparing(meter));
  },
  'list<A>.reverse(): list<A>': (list: unknown[]) => list.toReversed(),
  'list<A>.slice(int, int): list<A>': (list: unknown[], start: bigint, end: bigint) => {
    const isInside = start >= 0n && start <= end && end <= BigInt(list.length);
    return isInside ? list.slice(Number(start), Number(end)) : stop('out_of_range');
  },
  'list<A>.first(): A': (list: unknown[]) => list[0] ?? stop('missing_value'),
  'list<A>.last(): A': (list: unknown[]) => list.at(-1) ?? stop('missing_value'),
  'list<A>.sum(): A': sum,
  'list<A>.min(): A': (list: unknown[]) => extreme(list, (order) => order < 0, comparing(meter)),
  'list<A>.max(): A': (list: unknown[]) => extreme(list, (order) => order > 0, comparing(meter)),
});

function distinct(list: unknown[], meter: Meter): unknown[] {
  const simple = new Set<unknown>();
  const composite: unknown[] = [];
  return list.filter((item) => {
    meter.charge(1);
    const key = simpleKey(item);
    if (key !== undefined) {
      const isNew = !simple.has(key);
      simple.add(key);
      return isNew;
    }
    const isNew = !composite.some((other) => isEqual(item, other, meter));
    if (isNew) composite.push(item);
    return isNew;
  });
}

/** One key for equal values; undefined for those that have to be compared. */
function simpleKey(item: unknown): unknown {
  if (item instanceof UnsignedInt) return item.value;
  if (typeof item === 'number') return Number.isInteger(item) ? BigInt(item) : item;
  return typeof item === 'object' ? undefined : item;
}

/** Long texts that begin alike take long to compare. */
const comparing =
  (meter: Meter): typeof compare =>
  (left, right) => {
    if (typeof left === 'string' && typeof right === 'string') {
      meter.charge(Math.floor(Math.min(left.length, right.length) / COMPARED_PER_STEP));
    }
    return compare(left, right);
  };

/** Order of two values of one kind; integers and fractions are of one kind. */
export function compare(left: unknown, right: unknown): number {
  const [one, other] = [comparable(left), comparable(right)];
  const isNumeric = (value: unknown): boolean =>
    typeof value === 'bigint' || typeof value === 'number';
  const isOneKind = typeof one === typeof other || (isNumeric(one) && isNumeric(other));
  if (!isOneKind || left instanceof Date !== right instanceof Date) return stop('wrong_type');
  if (one < other) return -1;
  return one > other ? 1 : 0;
}

function comparable(value: unknown): string | number | bigint | boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (value instanceof UnsignedInt) return value.value;
  if (value instanceof Date) return value.getTime();
  return value instanceof Duration ? value.valueOf() : stop('wrong_type');
}

function sum(list: unknown[]): number | bigint {
  let whole = 0n;
  let fraction: number | undefined;
  for (const item of list) {
    if (typeof item === 'bigint') whole = inInt64(whole + item);
    else fraction = (fraction ?? 0) + (typeof item === 'number' ? item : stop('wrong_type'));
  }
  return fraction === undefined ? whole : fraction + Number(whole);
}

export function extreme(
  list: unknown[],
  isBetter: (order: number) => boolean,
  order: typeof compare = compare,
): unknown {
  if (list.length === 0) return stop('missing_value');
  return list.reduce((best, item) => (isBetter(order(item, best)) ? item : best));
}
