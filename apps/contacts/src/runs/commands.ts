import { type DataSourceId, SyncRunId } from '@manifold/contracts';
import { createOnce, newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { insertActivities } from '../feed/store.ts';
import { notFollowing } from '../life/rules.ts';
import { refreshMapping } from '../mappings/commands.ts';
import { completeDraft } from '../setup/commands.ts';
import { noSource } from '../sources/refusals.ts';
import { readyOf } from '../sources/rules.ts';
import { findSource, lockSource } from '../sources/store.ts';
import type { DataSource, Db, ReadySource, SyncRun, Tx } from '../store.ts';
import { settleTracking } from '../tracking/commands.ts';
import { noRun } from './refusals.ts';
import { decideKind, FIRST_POSITION } from './rules.ts';
import { findActiveRun, findLastSuccess, findRun, insertRun } from './store.ts';

interface Deps {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}

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
  if (known.mapping_id) await refreshMapping(deps, workspaceId, known.mapping_id);
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
      async () => {
        const ready = await readySource(tx, source, { origin, now });
        return queueRun(tx, { source: ready, origin, now });
      },
    );
    const run = await findRun(tx, workspaceId, id);
    if (!run) throw noRun(id);
    return run;
  });
}

/** A source that follows its connection; a draft is set up by its first run (OR-22). */
async function readySource(
  tx: Tx,
  source: DataSource,
  { origin, now }: { origin: Origin; now: Date },
): Promise<ReadySource> {
  if (source.state === 'DRAFT') return completeDraft(tx, source, { origin, now });
  const ready = readyOf(source);
  const refusal = notFollowing(source.state);
  if (refusal) {
    const message = `The data source ${source.id} ${refusal.because}`;
    throw new Refusal('precondition', message, refusal.detail);
  }
  if (!ready) throw new Error(`The data source ${source.id} has no connection or mapping`);
  return ready;
}

/** Queues a run of a source that follows its connection. */
export async function queueRun(
  tx: Tx,
  { source, origin, now }: { source: ReadySource; origin: Origin; now: Date },
): Promise<SyncRunId> {
  const { workspace_id: workspaceId, id: dataSourceId } = source;
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
  await insertActivities(tx, { workspaceId, dataSourceId }, [
    { kind: 'RUN_QUEUED', syncRunId: id, at: now },
  ]);
  await settleTracking(tx, { workspaceId, connectionId: source.connection_id });
  return id;
}
