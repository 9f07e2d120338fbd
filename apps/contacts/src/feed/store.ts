import type { DataSourceId, SyncRunId, WorkspaceId } from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { sql } from 'kysely';
import type { Db, SourceActivity, SyncedObject } from '../store.ts';
import type { ActivityKind } from './tables.ts';

export interface NewActivity {
  kind: ActivityKind;
  at: Date;
  syncRunId?: SyncRunId | undefined;
  object?: SyncedObject;
  pipedriveId?: string;
  entityId?: string;
  reason?: string | null;
  changedKeys?: readonly string[];
}

/** Adds to the feed of a source, in this order. */
export async function insertActivities(
  tx: Db,
  source: { workspaceId: WorkspaceId; dataSourceId: DataSourceId },
  activities: readonly NewActivity[],
): Promise<void> {
  if (activities.length === 0) return;
  const rows = activities.map((one) => ({
    workspace_id: source.workspaceId,
    data_source_id: source.dataSourceId,
    kind: one.kind,
    sync_run_id: one.syncRunId ?? null,
    object: one.object ?? null,
    pipedrive_id: one.pipedriveId ?? null,
    entity_id: one.entityId ?? null,
    reason: one.reason ?? null,
    changed_keys: one.changedKeys ?? [],
    happened_at: one.at,
  }));
  const columns = sql`workspace_id, data_source_id, kind, sync_run_id, object, pipedrive_id,
    entity_id, reason, changed_keys, happened_at`;
  await sql`insert into source_activity (${columns}) select ${columns}
    from json_populate_recordset(null::source_activity, ${JSON.stringify(rows)}::json)`.execute(tx);
}

export interface ActivityFilter {
  dataSourceId: DataSourceId;
  kinds?: readonly ActivityKind[] | undefined;
}

function activitiesThat(tx: Db, workspaceId: WorkspaceId, { dataSourceId, kinds }: ActivityFilter) {
  const query = tx
    .selectFrom('source_activity')
    .where('workspace_id', '=', workspaceId)
    .where('data_source_id', '=', dataSourceId);
  return kinds === undefined ? query : query.where('kind', 'in', [...kinds]);
}

export async function countActivities(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: ActivityFilter,
): Promise<number> {
  return countRows(activitiesThat(tx, workspaceId, filter));
}

/** Newest first. */
export async function listActivityPage(
  tx: Db,
  workspaceId: WorkspaceId,
  { page, filter }: { page: PageRequest; filter: ActivityFilter },
): Promise<SourceActivity[]> {
  const rows = activitiesThat(tx, workspaceId, filter).selectAll();
  return pageByKeyset(rows, { by: ['id'], descending: true, page }).execute();
}

export interface SkipFilter {
  syncRunId: SyncRunId;
  reason?: string | undefined;
}

function skipsThat(tx: Db, workspaceId: WorkspaceId, { syncRunId, reason }: SkipFilter) {
  const query = tx
    .selectFrom('source_activity')
    .where('workspace_id', '=', workspaceId)
    .where('sync_run_id', '=', syncRunId)
    .where('kind', '=', 'RECORD_SKIPPED');
  return reason === undefined ? query : query.where('reason', '=', reason);
}

export async function countSkips(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: SkipFilter,
): Promise<number> {
  return countRows(skipsThat(tx, workspaceId, filter));
}

/** In the order they were met. */
export async function listSkipPage(
  tx: Db,
  workspaceId: WorkspaceId,
  { page, filter }: { page: PageRequest; filter: SkipFilter },
): Promise<SourceActivity[]> {
  const rows = skipsThat(tx, workspaceId, filter).selectAll();
  return pageByKeyset(rows, { by: ['id'], descending: false, page }).execute();
}
