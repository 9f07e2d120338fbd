import { ChangeSetFinished, type ReasonCode } from '@manifold/contracts';
import { publish } from '@manifold/messaging';
import type { Tx } from '../../store.ts';
import { originOf } from '../../writes/askers/rules.ts';
import { causeOf } from '../origin.ts';
import { tallyChanges } from '../rows/store.ts';
import { addSpent, changeHeldSet, type ChangeSet, findChangeSet } from '../store.ts';
import { sumUp } from '../costs/totals.ts';
import type { ChangeSetState } from '../tables.ts';
import { type Stretch, withWork, type Work } from '../work.ts';

const DAY_MS = 24 * 3_600_000;

export interface SetEnd {
  state: Extract<ChangeSetState, 'done' | 'cancelled' | 'failed'>;
  reason: ReasonCode | null;
}

/** The last stretch of a set, for the worker that holds it. */
export async function finishSet(
  work: Pick<Work, 'deps' | 'set'> & Partial<Pick<Work, 'takeSpent' | 'keepSpent'>>,
  end: SetEnd,
): Promise<Stretch> {
  const { deps, set } = work;
  const now = deps.now();
  await withWork(work, async (tx) => {
    await addSpent(tx, set, work.takeSpent?.() ?? 0);
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
  // of a set that expired none are left
  images_until:
    end.reason === 'plan_expired' ? null : new Date(now.getTime() + set.image_days * DAY_MS),
});

async function publishFinished(
  tx: Tx,
  set: ChangeSet,
  { end, now }: { end: SetEnd; now: Date },
): Promise<void> {
  const { states, costTokens } = sumUp(await tallyChanges(tx, [set.id]));
  // with what its last stretch has read for
  const { spent_tokens: readTokens } = (await findChangeSet(tx, set.id)) ?? set;
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
      costTokens: costTokens + readTokens,
    },
    now,
  });
}
