import {
  type DataSourceId,
  type ReasonCode,
  SyncFinished,
  SyncRunId,
  type WorkspaceId,
} from '@manifold/contracts';
import { createOnce, newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Origin, publish } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { refreshMapping } from '../mappings/commands.ts';
import { findSource, lockSource } from '../sources/store.ts';
import type { DataSource, Db, SyncRun, Tx } from '../store.ts';
import { settleTracking } from '../tracking/commands.ts';
import { decideKind, FIRST_POSITION, isActive, outcomeCounts } from './rules.ts';
import { findActiveRun, findLastSuccess, findRun, insertRun, lockRun, updateRun } from './store.ts';

interface Deps {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}

export const noSource = (id: string): Refusal =>
  new Refusal('not_found', `There is no data source ${id}`, {
    reason: 'record_not_found',
    field: 'input.dataSourceId',
    fix: 'Use an id from the list dataSources of this workspace.',
  });

const noRun = (id: string): Refusal =>
  new Refusal('not_found', `There is no sync run ${id}`, {
    reason: 'record_not_found',
    field: 'input.syncRunId',
    fix: 'Use an id from the list syncRuns of this workspace.',
  });

/** Queues a run of a source with the newest mapping. A source has one run at a time. */
export async function startSync(
  deps: Deps,
  call: { origin: Origin; dataSourceId: DataSourceId; idempotencyKey?: string | undefined },
): Promise<SyncRun> {
  const { origin, dataSourceId } = call;
  const { workspaceId } = origin;
  const now = deps.now();
  const known = await withWorkspace(deps.db, workspaceId, (tx) =>
    findSource(tx, workspaceId, dataSourceId),
  );
  if (!known) throw noSource(dataSourceId);
  await refreshMapping(deps, workspaceId, known.mapping_id);
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const source = await lockSource(tx, workspaceId, dataSourceId);
    if (!source) throw noSource(dataSourceId);
    const { id } = await createOnce(
      tx,
      {
        workspaceId,
        operation: 'startSync',
        key: call.idempotencyKey,
        input: { dataSourceId },
        now,
        parseId: (text) => SyncRunId.parse(text),
      },
      () => queueRun(tx, { source, origin, now }),
    );
    const run = await findRun(tx, workspaceId, id);
    if (!run) throw noRun(id);
    return run;
  });
}

async function queueRun(
  tx: Tx,
  { source, origin, now }: { source: DataSource; origin: Origin; now: Date },
): Promise<SyncRunId> {
  const { workspace_id: workspaceId, id: dataSourceId } = source;
  if (source.state === 'ARCHIVED') {
    throw new Refusal('precondition', `The data source ${dataSourceId} is archived`, {
      reason: 'data_source_archived',
      fix: 'Create a new data source.',
    });
  }
  const active = await findActiveRun(tx, workspaceId, dataSourceId);
  if (active) {
    throw new Refusal('conflict', `The run ${active.id} of this data source is still under way`, {
      reason: 'sync_already_running',
      fix: 'Wait for it, or cancel it with cancelSync.',
    });
  }
  const last = await findLastSuccess(tx, workspaceId, dataSourceId);
  const id = newId('sr', SyncRunId);
  await insertRun(tx, {
    workspace_id: workspaceId,
    id,
    data_source_id: dataSourceId,
    ...decideKind(last, source.mapping_version),
    state: 'QUEUED',
    mapping_version: source.mapping_version,
    ...FIRST_POSITION,
    counts: '{}',
    done: 0,
    total: null,
    sizes: '{}',
    samples: '[]',
    cost_tokens: 0,
    reason: null,
    attempts: 0,
    not_before: now,
    lease_id: null,
    lease_until: null,
    actor: JSON.stringify(origin.actor),
    correlation_id: origin.correlationId,
    created_at: now,
    started_at: null,
    ended_at: null,
  });
  await settleTracking(tx, { workspaceId, connectionId: source.connection_id });
  return id;
}

/** Ends a run at once; a page on its way is not stored. What is stored stays. */
export async function cancelSync(
  deps: Pick<Deps, 'db' | 'now'>,
  call: { origin: Origin; syncRunId: SyncRunId },
): Promise<SyncRun> {
  const { workspaceId } = call.origin;
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const run = await lockRun(tx, workspaceId, call.syncRunId);
    if (!run) throw noRun(call.syncRunId);
    if (run.state === 'CANCELLED') return run;
    if (!isActive(run.state)) {
      throw new Refusal('conflict', `The run ${run.id} has already ended`, {
        reason: 'sync_not_running',
      });
    }
    const end = { state: 'CANCELLED', reason: 'cancelled_by_user', now: deps.now() } as const;
    await endRun(tx, run, { ...end, actor: call.origin.actor });
    return { ...run, state: end.state, reason: end.reason, ended_at: end.now };
  });
}

/** Ends whatever run a source has; for a source that goes away. */
export async function cancelRunOf(
  tx: Tx,
  source: DataSource,
  { origin, now }: { origin: Origin; now: Date },
): Promise<void> {
  const active = await findActiveRun(tx, source.workspace_id, source.id);
  const run = active && (await lockRun(tx, source.workspace_id, active.id));
  if (!run || !isActive(run.state)) return;
  await endRun(tx, run, {
    state: 'CANCELLED',
    reason: 'cancelled_by_user',
    actor: origin.actor,
    now,
  });
}

/** The one way a run ends: state, time and event together. */
export async function endRun(
  tx: Tx,
  run: SyncRun,
  end: {
    state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
    reason?: ReasonCode;
    actor?: SyncRun['actor'];
    now: Date;
  },
): Promise<void> {
  const { state, reason, now } = end;
  await updateRun(tx, run.workspace_id, {
    id: run.id,
    changes: { state, reason: reason ?? null, ended_at: now, lease_id: null, lease_until: null },
  });
  await publish(tx, SyncFinished, {
    origin: { ...originOf(run), actor: end.actor ?? run.actor },
    key: run.id,
    payload: {
      dataSourceId: run.data_source_id,
      syncRunId: run.id,
      state,
      ...(reason === undefined ? {} : { reason }),
      counts: outcomeCounts(run.counts),
      costTokens: run.cost_tokens,
    },
    now,
  });
}

/** What a run does is done for whoever started it. */
export const originOf = (run: {
  workspace_id: WorkspaceId;
  actor: SyncRun['actor'];
  correlation_id: string;
}): Origin => ({
  workspaceId: run.workspace_id,
  actor: run.actor,
  correlationId: run.correlation_id,
});
