import type { DataSourceId, SyncRunId, WorkspaceId } from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { type Insertable, sql, type Updateable } from 'kysely';
import type { Db, RunState, SyncRun, Tables } from '../store.ts';

export async function insertRun(tx: Db, run: Insertable<Tables['sync_run']>): Promise<void> {
  await tx.insertInto('sync_run').values(run).execute();
}

export async function findRun(
  tx: Db,
  workspaceId: WorkspaceId,
  id: SyncRunId,
): Promise<SyncRun | undefined> {
  const [run] = await listRunsByIds(tx, workspaceId, [id]);
  return run;
}

export async function lockRun(
  tx: Db,
  workspaceId: WorkspaceId,
  id: SyncRunId,
): Promise<SyncRun | undefined> {
  return tx
    .selectFrom('sync_run')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

export async function listRunsByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly SyncRunId[],
): Promise<SyncRun[]> {
  return tx
    .selectFrom('sync_run')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', [...ids])
    .execute();
}

/** The run of a source that has not ended; there is at most one. */
export async function findActiveRun(
  tx: Db,
  workspaceId: WorkspaceId,
  dataSourceId: DataSourceId,
): Promise<SyncRun | undefined> {
  return tx
    .selectFrom('sync_run')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('data_source_id', '=', dataSourceId)
    .where('state', 'in', ['QUEUED', 'RUNNING', 'WAITING'])
    .executeTakeFirst();
}

export async function findLastSuccess(
  tx: Db,
  workspaceId: WorkspaceId,
  dataSourceId: DataSourceId,
): Promise<SyncRun | undefined> {
  return tx
    .selectFrom('sync_run')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('data_source_id', '=', dataSourceId)
    .where('state', '=', 'SUCCEEDED')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** The newest run of each source. */
export async function listLastRuns(
  tx: Db,
  workspaceId: WorkspaceId,
  dataSourceIds: readonly DataSourceId[],
): Promise<SyncRun[]> {
  return tx
    .selectFrom('sync_run')
    .selectAll()
    .distinctOn('data_source_id')
    .where('workspace_id', '=', workspaceId)
    .where('data_source_id', 'in', [...dataSourceIds])
    .orderBy('data_source_id')
    .orderBy('id', 'desc')
    .execute();
}

export interface RunFilter {
  dataSourceId?: string | undefined;
  state?: RunState | undefined;
}

function runsThat(tx: Db, workspaceId: WorkspaceId, { dataSourceId, state }: RunFilter) {
  let query = tx.selectFrom('sync_run').where('workspace_id', '=', workspaceId);
  if (dataSourceId) query = query.where(sql`data_source_id`, '=', dataSourceId);
  if (state) query = query.where('state', '=', state);
  return query;
}

export async function countRuns(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: RunFilter,
): Promise<number> {
  return countRows(runsThat(tx, workspaceId, filter));
}

/** Newest first. */
export async function listRunPage(
  tx: Db,
  workspaceId: WorkspaceId,
  { page, filter }: { page: PageRequest; filter: RunFilter },
): Promise<SyncRun[]> {
  const rows = runsThat(tx, workspaceId, filter).selectAll();
  return pageByKeyset(rows, { by: ['id'], descending: true, page }).execute();
}

export async function updateRun(
  tx: Db,
  workspaceId: WorkspaceId,
  { id, changes }: { id: SyncRunId; changes: Updateable<Tables['sync_run']> },
): Promise<void> {
  await tx
    .updateTable('sync_run')
    .set(changes)
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .execute();
}

/** Takes one run that is due and that nobody else carries out. Looks at every workspace. */
export async function leaseRun(
  tx: Db,
  lease: { id: string; now: Date; until: Date },
): Promise<SyncRun | undefined> {
  const { rows } =
    // read once: within "in" it may be read anew, and take more than one
    await sql<SyncRun>`with due as materialized (
      select workspace_id, id from sync_run
      where state in ('QUEUED', 'RUNNING', 'WAITING') and not_before <= ${lease.now}
        and (lease_until is null or lease_until < ${lease.now})
      order by not_before limit 1 for update skip locked)
    update sync_run taken set lease_id = ${lease.id}, lease_until = ${lease.until}
    from due where taken.workspace_id = due.workspace_id and taken.id = due.id
    returning taken.*`.execute(tx);
  return rows[0];
}

/** Holds on to a run while its worker lives. */
export async function extendLease(
  tx: Db,
  workspaceId: WorkspaceId,
  lease: { runId: SyncRunId; id: string; until: Date },
): Promise<void> {
  await tx
    .updateTable('sync_run')
    .set({ lease_until: lease.until })
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', lease.runId)
    .where('lease_id', '=', lease.id)
    .execute();
}

/** Lets waiting runs of these sources go on now. */
export async function wakeRuns(
  tx: Db,
  workspaceId: WorkspaceId,
  call: { dataSourceIds: readonly DataSourceId[]; now: Date },
): Promise<void> {
  await tx
    .updateTable('sync_run')
    .set({ not_before: call.now })
    .where('workspace_id', '=', workspaceId)
    .where('data_source_id', 'in', [...call.dataSourceIds])
    .where('state', '=', 'WAITING')
    .execute();
}
