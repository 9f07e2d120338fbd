import type { ConnectionId, DataSourceId, WorkspaceId } from '@manifold/contracts';
import { type Insertable, sql } from 'kysely';
import type { Db, RecordLink, SyncedObject, Tables } from '../store.ts';

/** One object of one data source; every statement here names both. */
export interface LinkScope {
  workspaceId: WorkspaceId;
  dataSourceId: DataSourceId;
  object: SyncedObject;
}

/**
 * Writers of organizations take turns with all others of their source, writers of persons only with
 * those: so a person and its organization, stored side by side, never miss each other.
 */
export async function lockOrganizations(
  tx: Db,
  { workspaceId, dataSourceId, object }: LinkScope,
): Promise<void> {
  const key = sql`hashtextextended(${`${workspaceId}|organizations|${dataSourceId}`}, 0)`;
  if (object === 'organization') await sql`select pg_advisory_xact_lock(${key})`.execute(tx);
  else await sql`select pg_advisory_xact_lock_shared(${key})`.execute(tx);
}

/** In one order, so that two writers never wait for each other crosswise. */
export async function lockLinks(
  tx: Db,
  scope: LinkScope,
  pipedriveIds: readonly string[],
): Promise<RecordLink[]> {
  const { rows } = await sql<RecordLink>`select * from record_link
    where workspace_id = ${scope.workspaceId} and data_source_id = ${scope.dataSourceId}
      and object = ${scope.object} and pipedrive_id = any(${[...pipedriveIds]}::text[])
    order by pipedrive_id for update`.execute(tx);
  return rows;
}

/** Adds links that are not there yet; answers the Pipedrive ids of those it added. */
export async function insertLinks(
  tx: Db,
  links: readonly Insertable<Tables['record_link']>[],
): Promise<string[]> {
  const { rows } = await sql<{ pipedrive_id: string }>`insert into record_link
    select * from json_populate_recordset(null::record_link, ${JSON.stringify(links)}::json)
    order by pipedrive_id on conflict do nothing returning pipedrive_id`.execute(tx);
  return rows.map((row) => row.pipedrive_id);
}

/** The links as they now stand; they were locked before. */
export async function updateLinks(
  tx: Db,
  workspaceId: WorkspaceId,
  links: readonly Insertable<Tables['record_link']>[],
): Promise<void> {
  await sql`update record_link link set entity_id = now.entity_id, update_time = now.update_time,
      webhook_ms = now.webhook_ms, mapping_version = now.mapping_version,
      awaited_organization = now.awaited_organization, deleted_at = now.deleted_at
    from json_populate_recordset(null::record_link, ${JSON.stringify(links)}::json) now
    where link.workspace_id = ${workspaceId} and link.data_source_id = now.data_source_id
      and link.object = now.object and link.pipedrive_id = now.pipedrive_id`.execute(tx);
}

export async function deleteLinks(
  tx: Db,
  scope: LinkScope,
  pipedriveIds: readonly string[],
): Promise<void> {
  await sql`delete from record_link
    where workspace_id = ${scope.workspaceId} and data_source_id = ${scope.dataSourceId}
      and object = ${scope.object} and pipedrive_id = any(${[...pipedriveIds]}::text[])`.execute(
    tx,
  );
}

/** The live account of each organization of a source that is here. */
export async function listAccountIds(
  tx: Db,
  { workspaceId, dataSourceId }: LinkScope,
  organizations: readonly string[],
): Promise<{ pipedrive_id: string; entity_id: string }[]> {
  const { rows } = await sql<{ pipedrive_id: string; entity_id: string }>`
    select pipedrive_id, entity_id from record_link
    where workspace_id = ${workspaceId} and data_source_id = ${dataSourceId}
      and object = 'organization' and pipedrive_id = any(${[...organizations]}::text[])
      and deleted_at is null and entity_id is not null`.execute(tx);
  return rows;
}

/** What the same records became through other sources of the same connection. */
export async function listSiblings(
  tx: Db,
  scope: LinkScope & { connectionId: ConnectionId },
  pipedriveIds: readonly string[],
): Promise<{ pipedrive_id: string; entity_id: string }[]> {
  const { rows } = await sql<{ pipedrive_id: string; entity_id: string }>`
    select distinct on (pipedrive_id) pipedrive_id, entity_id from record_link
    where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId}
      and object = ${scope.object} and pipedrive_id = any(${[...pipedriveIds]}::text[])
      and data_source_id <> ${scope.dataSourceId} and deleted_at is null and entity_id is not null
    order by pipedrive_id, data_source_id`.execute(tx);
  return rows;
}

/** The oldest contact of each e-mail address that this source has not filled yet. */
export async function listContactsByEmail(
  tx: Db,
  { workspaceId, dataSourceId }: LinkScope,
  emails: readonly string[],
): Promise<{ email: string; id: string }[]> {
  const { rows } = await sql<{ email: string; id: string }>`
    select distinct on (email) email, id from contact
    where workspace_id = ${workspaceId} and email = any(${[...emails]}::text[])
      and not exists (select from record_link link where link.workspace_id = ${workspaceId}
        and link.entity_id = contact.id and link.data_source_id = ${dataSourceId}
        and link.deleted_at is null)
    order by email, id`.execute(tx);
  return rows;
}

/** The oldest live source of each contact or account, apart from one. */
export async function listOtherSources(
  tx: Db,
  { workspaceId, dataSourceId }: LinkScope,
  entityIds: readonly string[],
): Promise<{ entity_id: string; data_source_id: DataSourceId }[]> {
  const { rows } = await sql<{ entity_id: string; data_source_id: DataSourceId }>`
    select distinct on (entity_id) entity_id, data_source_id from record_link
    where workspace_id = ${workspaceId} and entity_id = any(${[...entityIds]}::text[])
      and data_source_id <> ${dataSourceId} and deleted_at is null
    order by entity_id, data_source_id`.execute(tx);
  return rows;
}

/** Live links that lead to a contact or account, through sources that were not deleted. */
export async function countLiveLinks(
  tx: Db,
  workspaceId: WorkspaceId,
  entityId: string,
): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*) from record_link link
    where link.workspace_id = ${workspaceId} and link.entity_id = ${entityId}
      and link.deleted_at is null and not exists (select from data_source source
        where source.workspace_id = ${workspaceId} and source.id = link.data_source_id
          and source.state = 'DELETED')`.execute(tx);
  return Number(rows[0]?.count ?? 0);
}

/** Live links of each contact or account, whichever source they belong to. */
export async function countLiveLinksOfEach(
  tx: Db,
  workspaceId: WorkspaceId,
  { entityIds }: { entityIds: readonly string[] },
): Promise<{ entity_id: string; count: number }[]> {
  const { rows } = await sql<{ entity_id: string; count: number }>`
    select entity_id, count(*)::int as count from record_link
    where workspace_id = ${workspaceId} and entity_id = any(${[...entityIds]}::text[])
      and deleted_at is null
    group by entity_id`.execute(tx);
  return rows;
}

/** Records merged into one that is gone now lead nowhere. */
export async function clearLinksTo(
  tx: Db,
  workspaceId: WorkspaceId,
  entityId: string,
): Promise<void> {
  await sql`update record_link set entity_id = null
    where workspace_id = ${workspaceId} and entity_id = ${entityId}`.execute(tx);
}

/** Gives the persons that waited for these organizations their account. */
export async function linkAwaiting(
  tx: Db,
  scope: LinkScope,
  call: { organizations: readonly { pipedrive_id: string; entity_id: string }[]; now: Date },
): Promise<void> {
  const arrived = sql`json_to_recordset(${JSON.stringify(call.organizations)}::json)
    as arrived(pipedrive_id text, entity_id text)`;
  await sql`with waiting as (
      update record_link link set awaited_organization = null from ${arrived}
      where link.workspace_id = ${scope.workspaceId} and link.data_source_id = ${scope.dataSourceId}
        and link.awaited_organization = arrived.pipedrive_id
      returning link.entity_id as contact_id, arrived.entity_id as account_id)
    update contact set account_id = waiting.account_id, updated_at = ${call.now} from waiting
    where contact.workspace_id = ${scope.workspaceId} and contact.id = waiting.contact_id
      and contact.account_id is null`.execute(tx);
}

/** The persons of an account that goes away wait for its organization again. */
export async function awaitOrganization(
  tx: Db,
  scope: LinkScope,
  call: { pipedriveId: string; accountId: string },
): Promise<void> {
  await sql`update record_link link set awaited_organization = ${call.pipedriveId} from contact
    where contact.workspace_id = ${scope.workspaceId} and contact.account_id = ${call.accountId}
      and link.workspace_id = ${scope.workspaceId} and link.entity_id = contact.id
      and link.data_source_id = ${scope.dataSourceId} and link.deleted_at is null`.execute(tx);
}
