import type { MappingLoss } from '@manifold/contracts';

export type Losses = MappingLoss[];

/** Null: known to be empty. Undefined: not said, or withheld. */
export type Maybe<Value> = Value | null | undefined;

/** No value comes of it. */
export function withhold(losses: Losses, rowId: string, reason: MappingLoss['reason']): undefined {
  losses.push({ rowId, reason, withheld: true });
  return undefined;
}

/** A value comes of it, with less in it. */
export function reduce(losses: Losses, rowId: string, reason: MappingLoss['reason']): void {
  losses.push({ rowId, reason, withheld: false });
}
