import { ChangeSetApproved, ChangeSetPlanned } from '@manifold/contracts';
import { publish } from '@manifold/messaging';
import type { Tx } from '../../store.ts';
import { decideActing } from '../acting/commands.ts';
import { originOf } from '../../writes/askers/rules.ts';
import { causeOf } from '../origin.ts';
import {
  type ApprovalDecision,
  decideApproval,
  defaultPolicy,
  keptUntil,
} from '../policy/rules.ts';
import { findWritePolicy } from '../policy/store.ts';
import { recheckTokens } from '../costs/prices.ts';
import { hashChanges, tallyChanges, tallyObjects } from '../rows/store.ts';
import { addSpent, changeHeldSet, type ChangeSet } from '../store.ts';
import { sumUp, type Totals } from '../costs/totals.ts';
import { type Stretch, withWork, type Work } from '../work.ts';
import { priceNewRecords } from './new-records.ts';
import { partsOf } from './parts.ts';

/** Sums a plan up, and hands it to a person or, where the workspace allows it, to the sender. */
export async function finishPlanning(work: Work): Promise<Stretch> {
  const { deps, set } = work;
  const now = deps.now();
  return withWork(work, async (tx): Promise<Stretch> => {
    await addSpent(tx, set, work.takeSpent());
    const totals = sumUp(await tallyChanges(tx, [set.id]));
    const hash = await hashChanges(tx, set.id);
    const policy = (await findWritePolicy(tx)) ?? defaultPolicy;
    const objects = await tallyObjects(tx, set.id);
    const parts = await partsOf(tx, set, objects);
    const fresh = await priceNewRecords(tx, set, { tallies: objects, now });
    const priceTokens = totals.priceTokens + recheckTokens(objects) + fresh.tokens;
    const approval = decideApproval({ ...totals.effects, parts }, { rails: set, policy });
    const isAutomatic = approval.approval === 'automatic';
    const acting = isAutomatic ? await decideActing(tx, set, originOf(set).actor) : {};
    const kept = await changeHeldSet(tx, set, {
      state: isAutomatic ? 'applying' : 'awaiting_approval',
      reason: isAutomatic ? null : approval.reason,
      hash,
      price_tokens: priceTokens,
      makes_fields: fresh.makesFields,
      images_until: keptUntil(now),
      waiting_reason: null,
      planned_at: now,
      ...acting,
      ...(isAutomatic ? { approved_by: 'policy', approved_at: now, started_at: now } : {}),
    });
    if (!kept) return { outcome: 'over' };
    await publishPlanned(tx, set, { totals, priceTokens, hash, approval, now });
    return isAutomatic ? { outcome: 'more', afterMs: 0 } : { outcome: 'over' };
  });
}

async function publishPlanned(
  tx: Tx,
  set: ChangeSet,
  plan: {
    totals: Totals;
    priceTokens: number;
    hash: string;
    approval: ApprovalDecision;
    now: Date;
  },
): Promise<void> {
  const { totals, priceTokens, hash, approval, now } = plan;
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
      priceTokens,
      ...(approval.approval === 'waits' ? { waitsFor: approval.reason } : {}),
    },
  });
  if (approval.approval === 'waits') return;
  await publish(tx, ChangeSetApproved, { ...event, payload: { ...about, by: 'policy' } });
}
