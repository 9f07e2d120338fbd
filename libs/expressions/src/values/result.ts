import { Optional } from '@marcbachmann/cel-js';
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { stop } from '../failures.ts';
import { durationText } from '../functions/time/durations.ts';
import { instantText } from '../functions/time/instants.ts';
import { RESULT_LIMITS } from '../limits.ts';

/** What an expression gives, as JSON. */
export type ResultValue =
  | null
  | string
  | number
  | boolean
  | ResultValue[]
  | { [key: string]: ResultValue };

/**
 * A value of the language as JSON: whole numbers as numbers, or as text when they are too big to be
 * exact, instants in RFC 3339, durations as `3600s`. Types, bytes and what is not finite are refused.
 */
export function resultOf(value: unknown): ResultValue {
  let values = 0;
  let chars = 0;

  const text = (made: string): string => {
    chars += made.length;
    return chars > RESULT_LIMITS.chars ? stop('too_large') : made;
  };

  const turn = (given: unknown, depth: number): ResultValue => {
    if (++values > RESULT_LIMITS.values || depth > RESULT_LIMITS.depth) return stop('too_large');
    if (given === null || typeof given === 'boolean') return given;
    if (typeof given === 'string') return text(given);
    if (typeof given === 'number') return Number.isFinite(given) ? given : stop('wrong_result');
    if (typeof given === 'bigint') return integer(given);
    return turnObject(given, (member) => turn(member, depth + 1));
  };

  const turnObject = (given: unknown, member: (value: unknown) => ResultValue): ResultValue => {
    if (Array.isArray(given)) return given.map(member);
    if (given instanceof Map) {
      // defined, not assigned: `__proto__` is a key like any other
      return Object.fromEntries([...given].map(([key, item]) => [text(String(key)), member(item)]));
    }
    if (given instanceof UnsignedInt) return integer(given.value);
    if (given instanceof Date) return instantText(given);
    if (given instanceof Duration) return durationText(given);
    if (given instanceof Optional) return member(given.orValue(null));
    return stop('wrong_result');
  };

  return turn(value, 0);
}

const integer = (value: bigint): number | string =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString();
