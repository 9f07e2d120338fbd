import type { FieldValue, LossReason, VariableValue } from '@manifold/contracts';

/** A value that came through, perhaps reduced, or the reason why none did. */
export type Conversion<Value> = { value: Value; loss?: LossReason } | { withheld: LossReason };

/** Turns a value that is not empty; whatever it is given, it answers. */
export type Convert<Value> = (value: unknown) => Conversion<Value>;

export type ToVariable = Convert<VariableValue>;
export type ToField = Convert<FieldValue>;

export const withheld = (reason: LossReason): { withheld: LossReason } => ({ withheld: reason });

/** One conversion after the other; empty stays empty, and the first stated loss stays. */
export function inTurn<Between, Value>(
  first: Convert<Between>,
  second: Convert<Value>,
): Convert<Value | null> {
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
export const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.length === 0);
