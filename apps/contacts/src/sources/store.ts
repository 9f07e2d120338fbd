import type { ConnectionId, DataSourceId, WorkspaceId } from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { type NotNull, sql, type Updateable } from 'kysely';
import type { DataSource, Db, ReadySource, Tables } from '../store.ts';

// every condition names the workspace: keys begin with it, and the policy alone is no index condition

export async function insertSource(tx: Db, source: DataSource): Promise<void> {
  await tx.insertInto('data_source').values(source).execute();
}

export async function findSource(
  tx: Db,
  workspaceId: WorkspaceId,
  id: DataSourceId,
): Promise<DataSource | undefined> {
  const [source] = await listSourcesByIds(tx, workspaceId, [id]);
  return source;
}

/** Held until the transaction ends, so that two starts of one source take turns. */
export async function lockSource(
  tx: Db,
  workspaceId: WorkspaceId,
  id: DataSourceId,
): Promise<DataSource | undefined> {
  return tx
    .selectFrom('data_source')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

export async function listSourcesByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly DataSourceId[],
): Promise<DataSource[]> {
  return tx
    .selectFrom('data_source')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', [...ids])
    .execute();
}

export async function listActiveSources(
  tx: Db,
  workspaceId: WorkspaceId,
  connectionId: ConnectionId,
): Promise<ReadySource[]> {
  return tx
    .selectFrom('data_source')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('connection_id', '=', connectionId)
    .where('state', '=', 'ACTIVE')
    .orderBy('id')
    .$narrowType<{
      connection_id: NotNull;
      company_url: NotNull;
      mapping_id: NotNull;
      mapping_version: NotNull;
    }>()
    .execute();
}

export interface SourceFilter {
  state?: DataSource['state'] | undefined;
  connectionId?: string | undefined;
}

function sourcesThat(tx: Db, workspaceId: WorkspaceId, { state, connectionId }: SourceFilter) {
  let query = tx.selectFrom('data_source').where('workspace_id', '=', workspaceId);
  // deleted ones are listed only when asked for
  query = state ? query.where('state', '=', state) : query.where('state', '<>', 'DELETED');
  if (connectionId) query = query.where(sql`connection_id`, '=', connectionId);
  return query;
}

export async function countSources(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: SourceFilter,
): Promise<number> {
  return countRows(sourcesThat(tx, workspaceId, filter));
}

/** Oldest first. */
export async function listSourcePage(
  tx: Db,
  workspaceId: WorkspaceId,
  { page, filter }: { page: PageRequest; filter: SourceFilter },
): Promise<DataSource[]> {
  const rows = sourcesThat(tx, workspaceId, filter).selectAll();
  return pageByKeyset(rows, { by: ['id'], descending: false, page }).execute();
}

export async function updateSource(
  tx: Db,
  workspaceId: WorkspaceId,
  { id, changes }: { id: DataSourceId; changes: Updateable<Tables['data_source']> },
): Promise<void> {
  await tx
    .updateTable('data_source')
    .set(changes)
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .execute();
}

/** How many contacts and accounts stand linked to a source. */
export async function countLinks(
  tx: Db,
  workspaceId: WorkspaceId,
  dataSourceId: DataSourceId,
): Promise<{ contacts: number; accounts: number }> {
  const rows = await tx
    .selectFrom('record_link')
    .select(['object', sql<string>`count(*)`.as('count')])
    .where('workspace_id', '=', workspaceId)
    .where('data_source_id', '=', dataSourceId)
    .where('deleted_at', 'is', null)
    .groupBy('object')
    .execute();
  const countOf = (object: string) => Number(rows.find((row) => row.object === object)?.count ?? 0);
  return { contacts: countOf('person'), accounts: countOf('organization') };
}
