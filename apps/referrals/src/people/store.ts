import type { CampaignId, ReferralUserId, WorkspaceId } from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Db, NewReferralUser, ReferralUser, Tables } from '../store.ts';

/** Adds a user; false when the campaign has one with this e-mail already. */
export async function insertUser(tx: Db, user: NewReferralUser): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('referral_user')
    .values(user)
    .onConflict((conflict) =>
      conflict.columns(['workspace_id', 'campaign_id', 'email_key']).doNothing(),
    )
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export async function findUserByEmail(
  tx: Db,
  workspaceId: WorkspaceId,
  of: { campaignId: CampaignId; emailKey: string },
): Promise<ReferralUser | undefined> {
  return tx
    .selectFrom('referral_user')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('campaign_id', '=', of.campaignId)
    .where('email_key', '=', of.emailKey)
    .executeTakeFirst();
}

export async function findUserByCode(
  tx: Db,
  workspaceId: WorkspaceId,
  of: { campaignId: CampaignId; code: string },
): Promise<ReferralUser | undefined> {
  return tx
    .selectFrom('referral_user')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('campaign_id', '=', of.campaignId)
    .where('code', '=', of.code)
    .executeTakeFirst();
}

/** Counts one more sign-up for the user whose link was used. */
export async function setReferralCounted(
  tx: Db,
  workspaceId: WorkspaceId,
  id: ReferralUserId,
): Promise<void> {
  await sql`update referral_user set referral_count = referral_count + 1
    where workspace_id = ${workspaceId} and id = ${id}`.execute(tx);
}

export async function listUsersByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly ReferralUserId[],
): Promise<ReferralUser[]> {
  return tx
    .selectFrom('referral_user')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', ids)
    .execute();
}

/** Conditions beside each other must all hold; null and undefined say nothing. */
export interface UserFilter {
  campaignId?: string | null;
  deliveryState?: ReferralUser['delivery_state'] | null;
  email?: string | null;
  isTest?: boolean | null;
  signedUpAfter?: Date | null;
  signedUpBefore?: Date | null;
  and?: UserFilter[] | null;
  or?: UserFilter[] | null;
  not?: UserFilter | null;
}

export interface UserQuery {
  filter: UserFilter;
  orderBy: 'signed_up_at' | 'email_key';
  descending: boolean;
  page: PageRequest;
}

export async function listUsers(
  tx: Db,
  workspaceId: WorkspaceId,
  { filter, orderBy, descending, page }: UserQuery,
): Promise<ReferralUser[]> {
  const rows = tx
    .selectFrom('referral_user')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where((where) => matches(where, filter));
  return pageByKeyset(rows, { by: [orderBy, 'id'], descending, page }).execute();
}

export async function countUsers(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: UserFilter,
): Promise<number> {
  const rows = tx
    .selectFrom('referral_user')
    .where('workspace_id', '=', workspaceId)
    .where((where) => matches(where, filter));
  return countRows(rows);
}

function matches(
  where: ExpressionBuilder<Tables, 'referral_user'>,
  filter: UserFilter,
): Expression<SqlBool> {
  const { campaignId, deliveryState, email, isTest, signedUpAfter, signedUpBefore } = filter;
  const all: Expression<SqlBool>[] = [];
  if (campaignId) all.push(sql<SqlBool>`campaign_id = ${campaignId}`);
  if (deliveryState) all.push(where('delivery_state', '=', deliveryState));
  if (email) all.push(where('email_key', '=', email.trim().toLowerCase()));
  if (typeof isTest === 'boolean') all.push(where('is_test', '=', isTest));
  if (signedUpAfter) all.push(where('signed_up_at', '>', signedUpAfter));
  if (signedUpBefore) all.push(where('signed_up_at', '<', signedUpBefore));
  for (const one of filter.and ?? []) all.push(matches(where, one));
  if (filter.or) all.push(where.or(filter.or.map((one) => matches(where, one))));
  if (filter.not) all.push(where.not(matches(where, filter.not)));
  return where.and(all);
}
