import type { PipedriveRecord, WriteRequestId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Failure } from '@manifold/pipedrive';
import type { Tx } from '../../store.ts';
import { advance, publishStep } from '../../writes/progress.ts';
import { changeIdleStep } from '../../writes/sending/store.ts';
import { listSteps, lockRequest, type Step, type WriteRequest } from '../../writes/store.ts';
import { finishSet } from '../ending.ts';
import { openImage } from '../images.ts';
import { readRecords } from '../reading.ts';
import { holds } from '../rules.ts';
import { type Change, listChangesOfRequests } from '../rows/store.ts';
import { addSpent, changeHeldSet } from '../store.ts';
import type { Stretch, Work } from '../work.ts';
import { decideBatch } from './rules.ts';
import {
  countPending,
  countReleasedChanges,
  listResting,
  listRestingIds,
  releaseRequests,
  setChecked,
} from './store.ts';

/** How soon to look again whether the sender has made room. */
const LOOK_AGAIN_MS = 250;
const IDLE_AT_ONCE = 200;

/** Hands the next changes of an approved set to the sender, a window's worth at a time. */
export async function applyStretch(work: Work): Promise<Stretch> {
  const { deps, set } = work;
  const seen = await withWorkspace(deps.db, set.workspace_id, async (tx) => {
    const pending = await countPending(tx, set.id);
    const approved = set.approved_changes;
    const released = approved === null ? 0 : await countReleasedChanges(tx, set.id);
    const batch = decideBatch({ pending, released, approved });
    const ids = batch.decision === 'release' ? await listResting(tx, set.id, batch.most) : [];
    return { pending, batch, ids: within(ids, batch) };
  });
  switch (seen.batch.decision) {
    case 'wait':
      return { outcome: 'more', afterMs: LOOK_AGAIN_MS };
    case 'pause':
      return endCanary(work);
    case 'release':
      if (seen.ids.length > 0) return releaseBatch(work, seen.ids);
      return seen.pending.resting > 0
        ? closeIdle(work)
        : seen.pending.released > 0
          ? { outcome: 'more', afterMs: LOOK_AGAIN_MS }
          : finishSet(work, { state: 'done', reason: null });
  }
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
  const spent = work.takeSpent();
  const stretch = await withWorkspace(deps.db, set.workspace_id, async (tx): Promise<Stretch> => {
    await addSpent(tx, set, spent);
    if (!(await changeHeldSet(tx, set, { attempts: 0, waiting_reason: null }))) {
      return { outcome: 'over' };
    }
    const { sound, drifted } = checked;
    await setChecked(tx, sound, checkedAt);
    for (const id of await releaseRequests(tx, ids, deps.now())) {
      await releaseRequest(tx, id, { drifted, now: deps.now() });
    }
    return { outcome: 'more', afterMs: 0 };
  });
  deps.wakeSender();
  return stretch;
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

type Drift = Pick<Change, 'reason' | 'pipedrive_id' | 'candidates'>;
const nowhere: Drift = { reason: null, pipedrive_id: null, candidates: [] };

async function skipStep(
  tx: Tx,
  { request, step, now }: { request: WriteRequest; step: Step; now: Date },
  { reason, pipedrive_id, candidates }: Drift,
): Promise<void> {
  const change = {
    state: reason === 'nothing_to_change' ? ('no_change' as const) : ('skipped' as const),
    effect: 'none' as const,
    reason,
    pipedrive_id,
    candidates,
    sealed_body: null,
    settled_at: now,
  };
  if (!(await changeIdleStep(tx, step.id, change))) return;
  await publishStep(tx, { request, step: { ...step, ...change }, now });
}

type Checked = { sound: Change['id'][]; drifted: Map<string, Drift> } | { failure: Failure };

/** Which changes still find their record as it was planned on. */
async function checkRecords(work: Work, changes: readonly Change[]): Promise<Checked> {
  const checked = { sound: [] as Change['id'][], drifted: new Map<string, Drift>() };
  const own = changes.filter(({ effect }) => effect === 'update' || effect === 'delete');
  for (const object of new Set(own.map((change) => change.object))) {
    const some = own.filter((change) => change.object === object);
    const read = await readRecords(work, object, {
      ids: some.flatMap(({ pipedrive_id }) => pipedrive_id ?? []),
      codes: some.flatMap(({ changed_keys }) => changed_keys),
    });
    if ('failure' in read) return read;
    for (const change of some) {
      const drift = driftOf(work, change, read.records.get(change.pipedrive_id ?? ''));
      if (drift === undefined) checked.sound.push(change.id);
      else checked.drifted.set(change.write_step_id, { ...change, reason: drift });
    }
  }
  return checked;
}

function driftOf(
  { deps }: Work,
  change: Change,
  record: PipedriveRecord | undefined,
): Change['reason'] | undefined {
  if (record === undefined) return 'record_gone';
  if (change.effect === 'delete') {
    return record.updateTime === change.record_update_time ? undefined : 'record_drifted';
  }
  const before = openImage(deps.vault, change, 'sealed_before');
  if (before === undefined) return 'plan_expired';
  return holds(record.fields, before) ? undefined : 'record_drifted';
}

/** When nothing else rests: rows that lead to no change come to rest without a call. */
async function closeIdle({ deps, set }: Work): Promise<Stretch> {
  return withWorkspace(deps.db, set.workspace_id, async (tx): Promise<Stretch> => {
    if (!(await changeHeldSet(tx, set, { attempts: 0 }))) return { outcome: 'over' };
    const now = deps.now();
    const idle = await listRestingIds(tx, set.id, IDLE_AT_ONCE);
    const ids = await releaseRequests(tx, idle, now);
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
