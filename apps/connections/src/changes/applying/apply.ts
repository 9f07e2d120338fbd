import type { WriteRequestId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Tx } from '../../store.ts';
import { advance, isFirst, publishStep, queueSteps } from '../../writes/progress.ts';
import { changeIdleStep } from '../../writes/sending/store.ts';
import { lockLinesOf } from '../../writes/sending/turns/store.ts';
import { listSteps, lockRequest, type Step, type WriteRequest } from '../../writes/store.ts';
import { noteHold } from '../holding/commands.ts';
import { endActing, keepWriter, requireWriter } from '../acting/commands.ts';
import { finishSet } from '../deciding/ending.ts';
import { restOf, wordsOf } from '../planning/reasons/rules.ts';
import { listChangesOfRequests } from '../rows/store.ts';
import { addSpent, changeHeldSet, type ChangeSet } from '../store.ts';
import { type Stretch, withWork, type Work } from '../work.ts';
import { checkRecords, type Drift } from './check.ts';
import { decideBatch, ROOM } from './rules.ts';
import {
  countReleasedChanges,
  listResting,
  listRestingIds,
  lookAtPending,
  releaseRequests,
  setChecked,
} from './store.ts';

/** How soon to look again whether the sender has made room. */
const LOOK_AGAIN_MS = 250;
/** In one transaction, which holds the row of the set. */
const RELEASED_AT_ONCE = 20;
const IDLE_AT_ONCE = 20;

/** Hands the next changes of an approved set to the sender, a window's worth at a time. */
export async function applyStretch(work: Work): Promise<Stretch> {
  const { deps, set } = work;
  const seen = await withWorkspace(deps.db, set.workspace_id, async (tx) => {
    const pending = await lookAtPending(tx, set.id, ROOM + 1);
    if (pending.rests || pending.released > 0) await requireWriter(tx, set);
    const approved = set.approved_changes;
    const released = approved === null ? 0 : await countReleasedChanges(tx, set.id);
    const batch = decideBatch({ pending, released, approved });
    const ids = batch.decision === 'release' ? await listResting(tx, set.id, batch.most) : [];
    return { pending, batch, ids: within(ids, batch) };
  });
  switch (seen.batch.decision) {
    case 'wait':
      return waitForSender(work);
    case 'pause':
      return endCanary(work);
    case 'release':
      if (seen.ids.length > 0) return releaseBatch(work, seen.ids);
      return seen.pending.rests
        ? closeIdle(work)
        : seen.pending.released > 0
          ? waitForSender(work)
          : finishSet(work, { state: 'done', reason: null });
  }
}

/** What was handed over is with the sender, who may have to wait too. */
async function waitForSender(work: Work): Promise<Stretch> {
  await noteHold(work);
  return { outcome: 'more', afterMs: LOOK_AGAIN_MS };
}

/** As many requests as hold no more changes than are still approved, at least one. */
function within(
  requests: readonly { id: WriteRequestId; changes: number }[],
  batch: ReturnType<typeof decideBatch>,
): WriteRequestId[] {
  if (batch.decision !== 'release') return [];
  let left = batch.changes;
  return requests.flatMap(({ id, changes }, index) => {
    left -= changes;
    return left >= 0 || index === 0 ? [id] : [];
  });
}

/** The canary is through: what came of it is for a person to see before the rest follows. */
async function endCanary({ deps, set }: Work): Promise<Stretch> {
  await withWorkspace(deps.db, set.workspace_id, (tx) =>
    changeHeldSet(tx, set, { state: 'awaiting_approval', reason: 'canary_finished' }),
  );
  return { outcome: 'over' };
}

/** Looks at the records once more, then releases what is still as it was planned on. */
async function releaseBatch(work: Work, ids: readonly WriteRequestId[]): Promise<Stretch> {
  const { deps, set } = work;
  const changes = await withWorkspace(deps.db, set.workspace_id, (tx) =>
    listChangesOfRequests(tx, ids),
  );
  const checkedAt = deps.now();
  const checked = await checkRecords(work, changes);
  if ('failure' in checked) return { outcome: 'failed', failure: checked.failure };
  const { sound, drifted } = checked;
  const isHeld = await withWork(work, async (tx) => {
    await addSpent(tx, set, work.takeSpent());
    await setChecked(tx, sound, checkedAt);
    return changeHeldSet(tx, set, { attempts: 0, waiting_reason: null });
  });
  if (!isHeld) return { outcome: 'over' };
  for (let start = 0; start < ids.length; start += RELEASED_AT_ONCE) {
    const some = ids.slice(start, start + RELEASED_AT_ONCE);
    const stretch = await releaseSome(work, some, drifted);
    deps.wakeSender();
    if (stretch.outcome === 'over') return stretch;
  }
  return { outcome: 'more', afterMs: 0 };
}

/** A few in one transaction, so that whoever decides about the set meanwhile does not wait for all of them. */
const releaseSome = (
  { deps, set }: Work,
  ids: readonly WriteRequestId[],
  drifted: ReadonlyMap<string, Drift>,
): Promise<Stretch> =>
  withWorkspace(deps.db, set.workspace_id, async (tx): Promise<Stretch> => {
    if (!(await changeHeldSet(tx, set, { attempts: 0 }))) return { outcome: 'over' };
    const connectionId = await keepWriter(tx, set);
    if (connectionId === undefined) return handBack(tx, set);
    const to = { connectionId, userId: set.acting_user_id, now: deps.now() };
    // of all of them at once: another set may have the same records in another order
    await lockLinesOf(tx, await listSteps(tx, ids));
    const released = await releaseRequests(tx, ids, to);
    const steps = Map.groupBy(await listSteps(tx, released), (step) => step.write_request_id);
    const [plain, others]: [Step[], WriteRequestId[]] = [[], []];
    for (const id of released.toSorted()) {
      const own = steps.get(id) ?? [];
      const first = own.some((step) => drifted.has(step.id)) ? undefined : own.find(isFirst);
      if (first === undefined) others.push(id);
      else plain.push(first);
    }
    // most go into their lines together
    await queueSteps(tx, plain, deps.now());
    for (const id of others) await releaseRequest(tx, id, { drifted, now: deps.now() });
    return { outcome: 'more', afterMs: 0 };
  });

async function handBack(tx: Tx, set: ChangeSet): Promise<Stretch> {
  await endActing(tx, set);
  return { outcome: 'over' };
}

async function releaseRequest(
  tx: Tx,
  id: WriteRequestId,
  { drifted, now }: { drifted: ReadonlyMap<string, Drift>; now: Date },
): Promise<void> {
  const request = await lockRequest(tx, id);
  if (request === undefined) return;
  for (const step of await listSteps(tx, [id])) {
    const drift = drifted.get(step.id);
    if (drift !== undefined) await skipStep(tx, { request, step, now }, drift);
  }
  await advance(tx, request, now);
}

const nowhere: Drift = {
  ...{ reason: null, pipedrive_id: null, candidates: [] },
  ...{ planned_cause: null, planned_fix: null },
};

async function skipStep(
  tx: Tx,
  { request, step, now }: { request: WriteRequest; step: Step; now: Date },
  { reason, pipedrive_id, candidates, planned_cause: cause, planned_fix: fix }: Drift,
): Promise<void> {
  const state = restOf(reason);
  const change = {
    ...{ state, effect: 'none' as const, reason, pipedrive_id, candidates, settled_at: now },
    ...(state === 'no_change' ? {} : wordsOf({ reason, cause, fix })),
    ...(state === 'parked' ? {} : { sealed_body: null }),
  };
  if (!(await changeIdleStep(tx, step.id, change))) return;
  await publishStep(tx, { request, step: { ...step, ...change }, now });
}

/** When nothing else rests: rows that lead to no change come to rest without a call. */
async function closeIdle({ deps, set }: Work): Promise<Stretch> {
  return withWorkspace(deps.db, set.workspace_id, async (tx): Promise<Stretch> => {
    if (!(await changeHeldSet(tx, set, { attempts: 0 }))) return { outcome: 'over' };
    const now = deps.now();
    const idle = await listRestingIds(tx, set.id, IDLE_AT_ONCE);
    const to = { connectionId: set.connection_id, userId: null, now };
    const ids = await releaseRequests(tx, idle, to);
    const changes = await listChangesOfRequests(tx, ids);
    for (const id of ids) {
      const request = await lockRequest(tx, id);
      if (request === undefined) continue;
      for (const step of await listSteps(tx, [id])) {
        const change = changes.find(({ write_step_id }) => write_step_id === step.id);
        await skipStep(tx, { request, step, now }, change ?? nowhere);
      }
      await advance(tx, request, now);
    }
    return { outcome: 'more', afterMs: 0 };
  });
}
