import { ChangeSetApproved, ChangeSetId } from '@manifold/contracts';
import { createOnce } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Origin, publish } from '@manifold/messaging';
import type { Tx } from '../../store.ts';
import { decideActing } from '../acting/commands.ts';
import { recallUnsent } from '../applying/recall.ts';
import { countReleasedChanges } from '../applying/store.ts';
import { causeOf } from '../origin.ts';
import { keptUntil } from '../policy/rules.ts';
import { tallyChanges } from '../rows/store.ts';
import { type Decision, isPossible } from '../rules.ts';
import { type ChangeSet, lockChangeSet, setChangeSet } from '../store.ts';
import { sumUp } from '../costs/totals.ts';

/** Nothing more is added: the set is planned. Closing it again changes nothing. */
export async function closeChangeSet(tx: Tx, id: string, now: Date): Promise<ChangeSet> {
  const set = await lockSet(tx, id);
  if (!isPossible('close', set.state)) return set;
  return change(tx, set, { state: 'planning', closed_at: now, not_before: now, ...kept(now) });
}

export interface Approval {
  id: string;
  /** Says which plan was looked at. */
  hash: string;
  first: number | undefined;
  starts: boolean;
  idempotencyKey?: string | undefined;
  asker: Origin;
}

/** Says yes to a plan, or to its first changes; once per key, so that a repeat approves no further ones. */
export async function approveChangeSet(tx: Tx, asked: Approval, now: Date): Promise<ChangeSet> {
  const { idempotencyKey: key, asker, ...input } = asked;
  const { workspaceId } = asker;
  const parseId = (id: string) => ChangeSetId.parse(id);
  const call = { workspaceId, operation: 'approveChangeSet', key, input, now, parseId };
  const { id } = await createOnce(tx, call, async () => (await approve(tx, asked, now)).id);
  return lockSet(tx, id);
}

async function approve(tx: Tx, asked: Approval, now: Date): Promise<ChangeSet> {
  const set = await lockSet(tx, asked.id);
  if (set.hash !== null && set.hash !== asked.hash) throw otherPlan(set);
  requirePossible('approve', set);
  const { hash, first, asker } = asked;
  const approved_changes = await countApproved(tx, set, first);
  await publish(tx, ChangeSetApproved, {
    origin: asker,
    key: set.id,
    payload: {
      changeSetId: set.id,
      connectionId: set.connection_id,
      cause: causeOf(set),
      hash,
      ...(approved_changes === null || first === undefined ? {} : { first }),
      by: 'person',
    },
    now,
  });
  return change(tx, set, {
    state: asked.starts ? 'applying' : 'paused',
    reason: null,
    approved_changes,
    approved_by: asker.actor.id,
    approved_at: now,
    ...(await decideActing(tx, set, asker.actor)),
    started_at: set.started_at ?? (asked.starts ? now : null),
    not_before: now,
    ...kept(now),
  });
}

/** How many changes may be made in all; null when that is every one of them. */
async function countApproved(
  tx: Tx,
  set: ChangeSet,
  first: number | undefined,
): Promise<number | null> {
  if (first === undefined) return null;
  const { effects, rows } = sumUp(await tallyChanges(tx, [set.id]));
  const most = (await countReleasedChanges(tx, set.id)) + first;
  return most >= rows - effects.none ? null : most;
}

/** Goes on with what was approved. */
export async function startApplying(
  tx: Tx,
  { id, decision }: { id: string; decision: 'apply' | 'resume' },
  now: Date,
): Promise<ChangeSet> {
  const set = await lockSet(tx, id);
  if (set.state === 'applying') return set;
  requirePossible(decision, set);
  const start = { state: 'applying', reason: null, not_before: now, ...kept(now) } as const;
  return change(tx, set, { ...start, started_at: set.started_at ?? now });
}

/** Sends nothing more for now; what is on its way comes to its end. */
export async function pauseChangeSet(tx: Tx, id: string, now: Date): Promise<ChangeSet> {
  const set = await lockSet(tx, id);
  if (set.state === 'paused') return set;
  requirePossible('pause', set);
  await recallUnsent(tx, set.id, now);
  return change(tx, set, { state: 'paused', ...kept(now) });
}

/** Sends nothing more for good. What was written stays; it can be undone. */
export async function cancelChangeSet(tx: Tx, id: string, now: Date): Promise<ChangeSet> {
  const set = await lockSet(tx, id);
  if (set.state === 'cancelling' || set.state === 'cancelled') return set;
  requirePossible('cancel', set);
  await recallUnsent(tx, set.id, now);
  return change(tx, set, { state: 'cancelling', reason: 'cancelled_by_user', not_before: now });
}

/** Its values are kept for a while after each decision about it. */
const kept = (now: Date) => ({ images_until: keptUntil(now) });

async function change(
  tx: Tx,
  set: ChangeSet,
  columns: Parameters<typeof setChangeSet>[2],
): Promise<ChangeSet> {
  await setChangeSet(tx, set.id, columns);
  return lockSet(tx, set.id);
}

export async function lockSet(tx: Tx, id: string): Promise<ChangeSet> {
  const known = ChangeSetId.safeParse(id);
  const set = known.success ? await lockChangeSet(tx, known.data) : undefined;
  if (set) return set;
  throw new Refusal('not_found', `There is no change set ${id}`, {
    reason: 'record_not_found',
    field: 'input.id',
    fix: 'Use an id that `changeSets` lists.',
  });
}

function requirePossible(decision: Decision, set: ChangeSet): void {
  if (isPossible(decision, set.state)) return;
  throw new Refusal('precondition', `Change set ${set.id} is ${set.state.replaceAll('_', ' ')}`, {
    reason: 'change_set_not_ready',
    field: 'input.id',
    fix: 'Read its state again: it has moved on, or is not that far yet.',
  });
}

const otherPlan = (set: ChangeSet) =>
  new Refusal('conflict', `The plan of change set ${set.id} is not the one that was looked at`, {
    reason: 'plan_changed',
    field: 'input.hash',
    fix: 'Look at the changes again, and approve with the hash shown now.',
  });
