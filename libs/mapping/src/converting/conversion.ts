import type { FieldValue, LossReason, VariableValue } from '@manifold/contracts';

/** A value that came through, perhaps reduced, or the reason why none did. */
export type Conversion<Value> = { value: Value; loss?: LossReason } | { withheld: LossReason };

/** Turns a value that is not empty; whatever it is given, it answers. */
export type Convert<Value> = (value: unknown) => Conversion<Value>;

export type ToVariable = Convert<VariableValue>;
export type ToField = Convert<FieldValue>;

export const withheld = (reason: LossReason): { withheld: LossReason } => ({ withheld: reason });

/** Leaves a value whose shape is already known as it is. */
// whoever chooses it knows the type; here it is unknown
export const unchanged: Convert<never> = (value) => ({ value: value as never });

/** One conversion after the other; empty stays empty, and the first stated loss stays. */
export function inTurn<Between, Value>(
  first: Convert<Between>,
  second: Convert<Value>,
): Convert<Value | null> {
  // what is given to `unchanged` is what it answers, so `Between` is `Value`
  if (second === unchanged) return first as Convert<never>;
  if (first === unchanged) return second;
  return (value) => {
    const between = first(value);
    if ('withheld' in between) return between;
    const after = isEmpty(between.value) ? { value: null } : second(between.value);
    return between.loss === undefined || 'withheld' in after
      ? after
      : { value: after.value, loss: between.loss };
  };
}

/** Nothing to map: null, blank text, an empty list. */
export function isEmpty(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() === '';
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}
