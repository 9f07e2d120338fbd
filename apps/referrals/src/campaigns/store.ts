import type { CampaignId, ConnectionId, WorkspaceId } from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Campaign, Db, NewCampaign, Tables } from '../store.ts';

export async function insertCampaign(tx: Db, campaign: NewCampaign): Promise<void> {
  await tx.insertInto('campaign').values(campaign).execute();
}

export async function findCampaign(
  tx: Db,
  workspaceId: WorkspaceId,
  id: CampaignId,
): Promise<Campaign | undefined> {
  return tx
    .selectFrom('campaign')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** Holds the row until the transaction ends, so that saving, launching and pausing take turns. */
export async function lockCampaign(
  tx: Db,
  workspaceId: WorkspaceId,
  id: CampaignId,
): Promise<Campaign | undefined> {
  return tx
    .selectFrom('campaign')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

export async function setCampaign(tx: Db, campaign: NewCampaign): Promise<void> {
  const { workspace_id, id, created_at: _created, state: _state, ...settings } = campaign;
  await tx
    .updateTable('campaign')
    .set(settings)
    .where('workspace_id', '=', workspace_id)
    .where('id', '=', id)
    .execute();
}

export async function setCampaignState(
  tx: Db,
  campaign: Pick<Campaign, 'workspace_id' | 'id' | 'state' | 'updated_at'>,
): Promise<void> {
  await tx
    .updateTable('campaign')
    .set({ state: campaign.state, updated_at: campaign.updated_at })
    .where('workspace_id', '=', campaign.workspace_id)
    .where('id', '=', campaign.id)
    .execute();
}

export async function listCampaignsByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly CampaignId[],
): Promise<Campaign[]> {
  return tx
    .selectFrom('campaign')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', ids)
    .execute();
}

/** Conditions beside each other must all hold; null and undefined say nothing. */
export interface CampaignFilter {
  state?: Campaign['state'] | null;
  connectionId?: ConnectionId | null;
  and?: CampaignFilter[] | null;
  or?: CampaignFilter[] | null;
  not?: CampaignFilter | null;
}

export interface CampaignQuery {
  filter: CampaignFilter;
  orderBy: 'created_at' | 'name';
  descending: boolean;
  page: PageRequest;
}

export async function listCampaigns(
  tx: Db,
  workspaceId: WorkspaceId,
  { filter, orderBy, descending, page }: CampaignQuery,
): Promise<Campaign[]> {
  const rows = tx
    .selectFrom('campaign')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where((where) => matches(where, filter));
  return pageByKeyset(rows, { by: [orderBy, 'id'], descending, page }).execute();
}

export async function countCampaigns(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: CampaignFilter,
): Promise<number> {
  const rows = tx
    .selectFrom('campaign')
    .where('workspace_id', '=', workspaceId)
    .where((where) => matches(where, filter));
  return countRows(rows);
}

function matches(
  where: ExpressionBuilder<Tables, 'campaign'>,
  filter: CampaignFilter,
): Expression<SqlBool> {
  const all: Expression<SqlBool>[] = [];
  if (filter.state) all.push(where('state', '=', filter.state));
  if (filter.connectionId) all.push(where('connection_id', '=', filter.connectionId));
  for (const one of filter.and ?? []) all.push(matches(where, one));
  if (filter.or) all.push(where.or(filter.or.map((one) => matches(where, one))));
  if (filter.not) all.push(where.not(matches(where, filter.not)));
  return where.and(all);
}
