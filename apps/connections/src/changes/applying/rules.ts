/** Changes the sender has at once, so that a pause is quick and nobody else waits for long. */
const WINDOW = 200;
/** As many as one list read can look at. */
const BATCH = 100;

export type BatchDecision =
  | { decision: 'release'; most: number; changes: number }
  | { decision: 'wait' }
  | { decision: 'pause' };

/** How much of an approved set may be handed to the sender now. */
export function decideBatch(set: {
  /** Requests that have not ended. */
  pending: { released: number; resting: number };
  /** Changes handed over so far. */
  released: number;
  /** Changes that were approved; null: all. */
  approved: number | null;
}): BatchDecision {
  const { pending, released, approved } = set;
  const left = approved === null ? Number.POSITIVE_INFINITY : approved - released;
  if (left <= 0 && pending.resting > 0) {
    return pending.released > 0 ? { decision: 'wait' } : { decision: 'pause' };
  }
  // whole batches, because a list read costs the same however many records it is for
  if (pending.released > WINDOW - BATCH) return { decision: 'wait' };
  return { decision: 'release', most: BATCH, changes: Math.min(BATCH, left) };
}
