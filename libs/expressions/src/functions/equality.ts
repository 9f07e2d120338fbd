import { Optional } from '@marcbachmann/cel-js';
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import type { Meter } from '../meter.ts';
import { nanosOf } from './time/durations.ts';

/** Equality of the language: by content, and 1 == 1u == 1.0. Every comparison is charged for. */
export function isEqual(left: unknown, right: unknown, meter: Meter): boolean {
  meter.charge(1);
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) {
    return isSame(left, right);
  }
  if (left === right) return true;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, at) => isEqual(item, right[at], meter));
  }
  if (left instanceof Map) return right instanceof Map && areEqualMaps(left, right, meter);
  if (left instanceof Optional) return right instanceof Optional && areEqual(left, right, meter);
  return isSameObject(left, right);
}

function areEqualMaps(
  left: Map<unknown, unknown>,
  right: Map<unknown, unknown>,
  meter: Meter,
): boolean {
  if (left.size !== right.size) return false;
  for (const [key, value] of left) {
    if (!right.has(key) || !isEqual(value, right.get(key), meter)) return false;
  }
  return true;
}

const areEqual = (left: Optional, right: Optional, meter: Meter): boolean =>
  left.hasValue() && right.hasValue()
    ? isEqual(left.value(), right.value(), meter)
    : left.hasValue() === right.hasValue();

function isSameObject(left: object, right: object): boolean {
  if (left instanceof UnsignedInt) return isSame(left, right);
  if (left instanceof Date) return right instanceof Date && left.getTime() === right.getTime();
  if (left instanceof Duration)
    return right instanceof Duration && nanosOf(left) === nanosOf(right);
  if (left instanceof Uint8Array) {
    return right instanceof Uint8Array && Buffer.compare(left, right) === 0;
  }
  return false;
}

function isSame(left: unknown, right: unknown): boolean {
  const [one, other] = [plainNumber(left), plainNumber(right)];
  // an integer and a fraction of the same value are equal
  if (typeof one !== typeof other && isNumeric(one) && isNumeric(other)) {
    // oxlint-disable-next-line eqeqeq
    return one == other;
  }
  return one === other;
}

const plainNumber = (value: unknown): unknown =>
  value instanceof UnsignedInt ? value.value : value;

const isNumeric = (value: unknown): boolean =>
  typeof value === 'bigint' || typeof value === 'number';
