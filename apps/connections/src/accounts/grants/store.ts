import type { ConnectionId, ReasonCode, UserId, WorkspaceId } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { Connection, StoredGrant } from '../tables.ts';

/** The workspace's connection of one user of Pipedrive, locked: of its kind, and of its owner, at most one. */
export async function lockConnectionOfUser(
  tx: Db,
  user: {
    workspaceId: WorkspaceId;
    companyId: string;
    pipedriveUserId: string;
    kind: Connection['kind'];
    owner: UserId;
  },
): Promise<Connection | undefined> {
  const key = `connection|${user.workspaceId}|${user.companyId}|${user.pipedriveUserId}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(tx);
  return tx
    .selectFrom('connection')
    .selectAll()
    .where('workspace_id', '=', user.workspaceId)
    .where('company_id', '=', user.companyId)
    .where('pipedrive_user_id', '=', user.pipedriveUserId)
    .where('kind', '=', user.kind)
    .$if(user.kind === 'PERSONAL', (own) => own.where('user_id', '=', user.owner))
    .forUpdate()
    .executeTakeFirst();
}

/** A grant a connection of the scope uses. */
export async function findGrant(tx: Db, id: string): Promise<StoredGrant | undefined> {
  return tx.selectFrom('pipedrive_grant').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Grants connections of the scope use. */
export async function listGrants(tx: Db, ids: readonly string[]): Promise<StoredGrant[]> {
  return tx.selectFrom('pipedrive_grant').selectAll().where('id', 'in', ids).execute();
}

/** As `findGrant`, and nobody else changes it until the transaction ends: only across workspaces. */
export async function lockGrant(tx: Db, id: string): Promise<StoredGrant | undefined> {
  return tx
    .selectFrom('pipedrive_grant')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

export interface GrantHolder {
  clientId: string;
  companyId: string;
  pipedriveUserId: string;
}

/** The grant of one user to one app, locked: only in a scope across workspaces. */
export async function lockGrantOf(tx: Db, holder: GrantHolder): Promise<StoredGrant | undefined> {
  const key = `grant|${holder.clientId}|${holder.companyId}|${holder.pipedriveUserId}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(tx);
  return tx
    .selectFrom('pipedrive_grant')
    .selectAll()
    .where('client_id', '=', holder.clientId)
    .where('company_id', '=', holder.companyId)
    .where('pipedrive_user_id', '=', holder.pipedriveUserId)
    .forUpdate()
    .executeTakeFirst();
}

/** Whether any user of a company, known by its host, granted an app something: only across workspaces. */
export async function isCompanyGranted(
  tx: Db,
  { clientId, apiDomain }: { clientId: string; apiDomain: string },
): Promise<boolean> {
  const found = await tx
    .selectFrom('pipedrive_grant')
    .select('id')
    .where('client_id', '=', clientId)
    .where('api_domain', '=', apiDomain)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

export async function insertGrant(tx: Db, grant: StoredGrant): Promise<void> {
  await tx.insertInto('pipedrive_grant').values(grant).execute();
}

/** Changes a grant unless another was kept, or the old one dropped, since `version` was read. */
export async function setGrant(
  tx: Db,
  { id, version }: { id: string; version: number },
  change: Partial<Omit<StoredGrant, 'id' | 'token_version'>>,
): Promise<StoredGrant | undefined> {
  return tx
    .updateTable('pipedrive_grant')
    .set({ ...change, token_version: version + 1 })
    .where('id', '=', id)
    .where('token_version', '=', version)
    .returningAll()
    .executeTakeFirst();
}

export async function removeGrant(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('pipedrive_grant').where('id', '=', id).execute();
}

/** The same token is renewed later; it stays the version it is. */
export async function postponeRefresh(
  tx: Db,
  { id, token_version }: Pick<StoredGrant, 'id' | 'token_version'>,
  refreshAt: Date,
): Promise<void> {
  await tx
    .updateTable('pipedrive_grant')
    .set({ refresh_at: refreshAt })
    .where('id', '=', id)
    .where('token_version', '=', token_version)
    .execute();
}

/** Marks a connection whose credential works again; false when another reason holds. */
export async function setMended(
  tx: Db,
  id: ConnectionId,
  { reason, now }: { reason: ReasonCode; now: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('connection')
    .set({ broken_since: null, upkeep_at: now, updated_at: now })
    .where('id', '=', id)
    .where('broken_since', 'is not', null)
    .where('status_reason', '=', reason)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** What keeps a connection from working now, where that is another thing than before. */
export async function setCause(
  tx: Db,
  id: ConnectionId,
  { from, to, now }: { from: ReasonCode; to: ReasonCode; now: Date },
): Promise<void> {
  if (from === to) return;
  await tx
    .updateTable('connection')
    .set({ status_reason: to, updated_at: now })
    .where('id', '=', id)
    .where('broken_since', 'is not', null)
    .where('status_reason', '=', from)
    .execute();
}

/** Every connection of one grant, whatever its workspace, locked: only in a scope across workspaces. */
export async function lockConnectionsOfGrant(tx: Db, grantId: string): Promise<Connection[]> {
  return tx
    .selectFrom('connection')
    .selectAll()
    .where('grant_id', '=', grantId)
    .orderBy('id')
    .forUpdate()
    .execute();
}

/** What Pipedrive says of a grant, at every connection that shows it: only across workspaces. */
export async function setConnectionsOfGrant(
  tx: Db,
  grantId: string,
  { scopes, api_domain }: Pick<Connection, 'scopes' | 'api_domain'>,
): Promise<void> {
  await tx
    .updateTable('connection')
    .set({ scopes, api_domain })
    .where('grant_id', '=', grantId)
    .execute();
}

/** Marks a connection whose credential does not work; what it was marked with before stays. */
export async function setBroken(
  tx: Db,
  id: ConnectionId,
  { reason, now }: { reason: ReasonCode; now: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('connection')
    .set({ broken_since: now, status_reason: reason, updated_at: now })
    .where('id', '=', id)
    .where('broken_since', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** One holder over all replicas until the transaction ends; others wait for it. */
export async function lockRefresh(tx: Db, id: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`refresh|${id}`}, 0))`.execute(tx);
}
