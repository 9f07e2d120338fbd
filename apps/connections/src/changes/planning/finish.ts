import { ChangeSetApproved, ChangeSetPlanned } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { publish } from '@manifold/messaging';
import type { Tx } from '../../store.ts';
import { causeOf, originOf } from '../origin.ts';
import { type ApprovalDecision, decideApproval, defaultPolicy } from '../policy/rules.ts';
import { findWritePolicy } from '../policy/store.ts';
import { hashChanges, tallyChanges } from '../rows/store.ts';
import { addSpent, changeHeldSet, type ChangeSet } from '../store.ts';
import { recheckTokens, sumUp, type Totals } from '../totals.ts';
import type { Stretch, Work } from '../work.ts';

/** A plan nobody decides about, and the values it holds, are kept no longer. */
export const KEEP_PLAN_MS = 30 * 24 * 3_600_000;

/** Sums a plan up, and hands it to a person or, where the workspace allows it, to the sender. */
export async function finishPlanning({ deps, set, takeSpent }: Work): Promise<Stretch> {
  const now = deps.now();
  const spent = takeSpent();
  return withWorkspace(deps.db, set.workspace_id, async (tx): Promise<Stretch> => {
    await addSpent(tx, set, spent);
    const totals = sumUp(await tallyChanges(tx, [set.id]));
    const hash = await hashChanges(tx, set.id);
    const policy = (await findWritePolicy(tx)) ?? defaultPolicy;
    const { effects, rows } = totals;
    const approval = decideApproval({ ...effects, rows }, { rails: set, policy });
    const isAutomatic = approval.approval === 'automatic';
    const kept = await changeHeldSet(tx, set, {
      state: isAutomatic ? 'applying' : 'awaiting_approval',
      reason: isAutomatic ? null : approval.reason,
      hash,
      price_tokens: totals.priceTokens + recheckTokens(totals),
      images_until: new Date(now.getTime() + KEEP_PLAN_MS),
      waiting_reason: null,
      planned_at: now,
      ...(isAutomatic ? { approved_by: 'policy', approved_at: now, started_at: now } : {}),
    });
    if (!kept) return { outcome: 'over' };
    await publishPlanned(tx, set, { totals, hash, approval, now });
    return isAutomatic ? { outcome: 'more', afterMs: 0 } : { outcome: 'over' };
  });
}

async function publishPlanned(
  tx: Tx,
  set: ChangeSet,
  plan: { totals: Totals; hash: string; approval: ApprovalDecision; now: Date },
): Promise<void> {
  const { totals, hash, approval, now } = plan;
  const { effects } = totals;
  const about = { changeSetId: set.id, connectionId: set.connection_id, cause: causeOf(set), hash };
  const event = { origin: originOf(set), key: set.id, now };
  await publish(tx, ChangeSetPlanned, {
    ...event,
    payload: {
      ...about,
      creates: effects.create,
      updates: effects.update,
      deletes: effects.delete,
      merges: effects.merge,
      unchanged: effects.none + effects.link,
      priceTokens: totals.priceTokens + recheckTokens(totals),
      ...(approval.approval === 'waits' ? { waitsFor: approval.reason } : {}),
    },
  });
  if (approval.approval === 'waits') return;
  await publish(tx, ChangeSetApproved, { ...event, payload: { ...about, by: 'policy' } });
}
