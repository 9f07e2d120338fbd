import type { FieldValue } from '@manifold/contracts';
import { isSameValue } from '../../writes/diff/rules.ts';
import type { ChangeSetState } from '../tables.ts';

type Fields = Readonly<Record<string, FieldValue>>;

/** Changes the sender has at once, so that a pause is quick and nobody else waits for long. */
const WINDOW = 200;
/** As many as one list read can look at. */
const BATCH = 100;

/** More than this with the sender, and there is no room for a batch. */
export const ROOM = WINDOW - BATCH;

export type BatchDecision =
  | { decision: 'release'; most: number; changes: number }
  | { decision: 'wait' }
  | { decision: 'pause' };

/** How much of an approved set may be handed to the sender now. */
export function decideBatch(set: {
  /** Requests that have not ended. */
  pending: { released: number; rests: boolean };
  /** Changes handed over so far. */
  released: number;
  /** Changes that were approved; null: all. */
  approved: number | null;
}): BatchDecision {
  const { pending, released, approved } = set;
  const left = approved === null ? Number.POSITIVE_INFINITY : approved - released;
  if (left <= 0 && pending.rests) {
    return pending.released > 0 ? { decision: 'wait' } : { decision: 'pause' };
  }
  // whole batches, because a list read costs the same however many records it is for
  if (pending.released > ROOM) return { decision: 'wait' };
  return { decision: 'release', most: BATCH, changes: Math.min(BATCH, left) };
}

export type LettingGo = { outcome: 'go' } | { outcome: 'refuse'; because: string; fix: string };

/** Whether a step may be sent while its change set is in a state: what a person stopped stays stopped. */
export function decideLettingGo(state: ChangeSetState): LettingGo {
  switch (state) {
    case 'applying':
    case 'done':
    // a canary is looked at, and what it wrote was approved
    case 'awaiting_approval':
      return { outcome: 'go' };
    case 'paused':
      return {
        outcome: 'refuse',
        because: 'its change set is paused',
        fix: 'Go on with the set by resumeChangeSet, then redrive the step.',
      };
    case 'open':
    case 'planning':
      return {
        outcome: 'refuse',
        because: 'its change set is not planned yet',
        fix: 'Wait until the set is planned and approved.',
      };
    case 'cancelling':
    case 'cancelled':
    case 'failed':
      return {
        outcome: 'refuse',
        because: `its change set ${state === 'failed' ? 'has failed' : 'was cancelled'}`,
        fix: 'Ask for the change anew in another change set.',
      };
  }
}

/**
 * What is still there of an update whose call may have been carried out, and what somebody has given
 * another value since; undefined when nothing shows that it was.
 */
export function writtenOf(
  record: Fields,
  { before, after }: { before: Fields; after: Fields },
): { written: string[]; kept: string[] } | undefined {
  const is = (code: string, { [code]: value = null }: Fields) =>
    isSameValue(record[code] ?? null, value);
  const codes = Object.keys(after);
  const written = codes.filter((code) => is(code, after));
  if (!written.some((code) => !is(code, before))) return undefined;
  return { written, kept: codes.filter((code) => !written.includes(code)) };
}

/** So long after a record was seen there is time enough to send its change on the strength of it. */
const LATELY_MS = 20_000;

/** Whether a record that was handed over before, and taken back by a pause, need not be read again. */
export const isSeenLately = (checkedAt: Date | null, now: Date): boolean =>
  checkedAt !== null && now.getTime() - checkedAt.getTime() < LATELY_MS;
