import type { ConnectionId } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { Connection } from '../tables.ts';

/** The workspace's connection of one user of one company, locked; there is at most one. */
export async function lockConnectionOfUser(
  tx: Db,
  company: { companyId: string; pipedriveUserId: string },
): Promise<Connection | undefined> {
  const key = `connection|${company.companyId}|${company.pipedriveUserId}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(
    current_setting('manifold.workspace') || ${key}, 0))`.execute(tx);
  return tx
    .selectFrom('connection')
    .selectAll()
    .where('company_id', '=', company.companyId)
    .where('pipedrive_user_id', '=', company.pipedriveUserId)
    .forUpdate()
    .executeTakeFirst();
}

/** Every connection of one grant, whatever its workspace: only in a scope across workspaces. */
export async function listConnectionsOfGrant(
  tx: Db,
  grant: { companyId: string; pipedriveUserId: string },
): Promise<Connection[]> {
  return tx
    .selectFrom('connection')
    .selectAll()
    .where('company_id', '=', grant.companyId)
    .where('pipedrive_user_id', '=', grant.pipedriveUserId)
    .where('method', '=', 'OAUTH')
    .execute();
}

/** Keeps a renewed grant unless another was kept, or the old one dropped, since `version` was read. */
export async function setRenewedGrant(
  tx: Db,
  { id, version }: { id: ConnectionId; version: number },
  change: Partial<Omit<Connection, 'workspace_id' | 'id' | 'token_version'>>,
): Promise<Connection | undefined> {
  return tx
    .updateTable('connection')
    .set({ ...change, token_version: version + 1 })
    .where('id', '=', id)
    .where('token_version', '=', version)
    .returningAll()
    .executeTakeFirst();
}

/** One holder over all replicas until the transaction ends; others wait for it. */
export async function lockRefresh(tx: Db, id: ConnectionId): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`refresh|${id}`}, 0))`.execute(tx);
}
