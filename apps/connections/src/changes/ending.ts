import { ChangeSetFinished, type ReasonCode } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { publish } from '@manifold/messaging';
import type { Tx } from '../store.ts';
import { causeOf, originOf } from './origin.ts';
import { tallyChanges } from './rows/store.ts';
import { addSpent, changeHeldSet, type ChangeSet } from './store.ts';
import { sumUp } from './totals.ts';
import type { ChangeSetState } from './tables.ts';
import type { Stretch, Work } from './work.ts';

const DAY_MS = 24 * 3_600_000;

export interface SetEnd {
  state: Extract<ChangeSetState, 'done' | 'cancelled' | 'failed'>;
  reason: ReasonCode | null;
}

/** The last stretch of a set, for the worker that holds it. */
export async function finishSet(
  { deps, set, takeSpent }: Pick<Work, 'deps' | 'set'> & Partial<Pick<Work, 'takeSpent'>>,
  end: SetEnd,
): Promise<Stretch> {
  const now = deps.now();
  const spent = takeSpent?.() ?? 0;
  await withWorkspace(deps.db, set.workspace_id, async (tx) => {
    await addSpent(tx, set, spent);
    if (await changeHeldSet(tx, set, endColumns(set, end, now))) {
      await publishFinished(tx, set, { end, now });
    }
  });
  return { outcome: 'over' };
}

const endColumns = (set: ChangeSet, end: SetEnd, now: Date) => ({
  ...end,
  waiting_reason: null,
  ended_at: now,
  images_until: new Date(now.getTime() + set.image_days * DAY_MS),
});

async function publishFinished(
  tx: Tx,
  set: ChangeSet,
  { end, now }: { end: SetEnd; now: Date },
): Promise<void> {
  const { states, costTokens } = sumUp(await tallyChanges(tx, [set.id]));
  await publish(tx, ChangeSetFinished, {
    origin: originOf(set),
    key: set.id,
    payload: {
      changeSetId: set.id,
      connectionId: set.connection_id,
      cause: causeOf(set),
      outcome: end.state,
      ...(end.reason === null ? {} : { reason: end.reason }),
      applied: states.APPLIED,
      unchanged: states.UNCHANGED,
      skipped: states.SKIPPED,
      parked: states.PARKED,
      cancelled: states.CANCELLED,
      costTokens: costTokens + set.spent_tokens,
    },
    now,
  });
}
