import type { ConnectionId, ConnectionStatus, ReasonCode, UserId } from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import type { ExpressionBuilder } from 'kysely';
import type { Db, Tables } from '../store.ts';
import type { Connection } from './tables.ts';

export async function insertConnection(tx: Db, connection: Connection): Promise<void> {
  await tx.insertInto('connection').values(connection).execute();
}

export async function findConnection(tx: Db, id: ConnectionId): Promise<Connection | undefined> {
  return tx.selectFrom('connection').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Any connection, whatever its workspace: only in a scope across workspaces. */
export async function findAnyConnection(tx: Db): Promise<Connection | undefined> {
  return tx.selectFrom('connection').selectAll().limit(1).executeTakeFirst();
}

/** As `findConnection`, and nobody else changes the row until the transaction ends. */
export async function lockConnection(tx: Db, id: ConnectionId): Promise<Connection | undefined> {
  return tx
    .selectFrom('connection')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

/** As `findConnection`, and it is not removed before the transaction ends. */
export async function keepConnection(tx: Db, id: ConnectionId): Promise<Connection | undefined> {
  return tx
    .selectFrom('connection')
    .selectAll()
    .where('id', '=', id)
    .forKeyShare()
    .executeTakeFirst();
}

export interface ConnectionFilter {
  kind?: Connection['kind'][] | undefined;
  method?: Connection['method'][] | undefined;
  status?: ConnectionStatus[] | undefined;
  companyId?: string | undefined;
  /** Personal ones of a user, or all but these. */
  own?: { userId: UserId; isOwn: boolean } | undefined;
}

/** One page in the order the connections were made, which is the order of their ids. */
export async function listConnections(
  tx: Db,
  list: { filter: ConnectionFilter; page: PageRequest; newestFirst: boolean },
): Promise<Connection[]> {
  const { page, newestFirst: descending } = list;
  const rows = connectionsThat(tx, list.filter).selectAll();
  return pageByKeyset(rows, { by: ['id'], descending, page }).execute();
}

export async function countConnections(tx: Db, filter: ConnectionFilter): Promise<number> {
  return countRows(connectionsThat(tx, filter));
}

const connectionsThat = (tx: Db, filter: ConnectionFilter) =>
  tx.selectFrom('connection').where((eb) => eb.and(conditionsOf(eb, filter)));

const conditionsOf = (
  eb: ExpressionBuilder<Tables, 'connection'>,
  { kind, method, status, companyId, own }: ConnectionFilter,
) => [
  // none of nothing
  ...([kind, method, status].some((named) => named?.length === 0) ? [eb.lit(false)] : []),
  ...(kind?.length ? [eb('kind', 'in', kind)] : []),
  ...(method?.length ? [eb('method', 'in', method)] : []),
  ...(status?.length ? [eb('status', 'in', status)] : []),
  ...(own === undefined ? [] : [own.isOwn ? isOf(eb, own.userId) : eb.not(isOf(eb, own.userId))]),
  ...(companyId === undefined ? [] : [eb('company_id', '=', companyId)]),
];

const isOf = (eb: ExpressionBuilder<Tables, 'connection'>, userId: UserId) =>
  eb.and([eb('kind', '=', 'PERSONAL'), eb('user_id', '=', userId)]);

export async function listConnectionsByIds(
  tx: Db,
  ids: readonly ConnectionId[],
): Promise<Connection[]> {
  return tx.selectFrom('connection').selectAll().where('id', 'in', ids).execute();
}

/** Connections for the whole workspace to any of these companies. */
export async function listOrganizationConnections(
  tx: Db,
  companyIds: readonly string[],
): Promise<Connection[]> {
  return tx
    .selectFrom('connection')
    .selectAll()
    .where('kind', '=', 'ORGANIZATION')
    .where('company_id', 'in', companyIds)
    .execute();
}

/** The personal connections of a user to the same company that work. */
export async function listActingConnections(
  tx: Db,
  connectionId: ConnectionId,
  userId: UserId,
): Promise<Connection[]> {
  return tx
    .selectFrom('connection')
    .selectAll()
    .where('kind', '=', 'PERSONAL')
    .where('status', '=', 'ACTIVE')
    .where('user_id', '=', userId)
    .where('company_id', '=', (eb) =>
      eb
        .selectFrom('connection as named')
        .select('company_id')
        .where('named.id', '=', connectionId),
    )
    .execute();
}

export async function findConnectionByWebhookPath(
  tx: Db,
  pathHash: string,
): Promise<Connection | undefined> {
  return tx
    .selectFrom('connection')
    .selectAll()
    .where('webhook_path_hash', '=', pathHash)
    .executeTakeFirst();
}

/** By what the connections of a delivery are found; the newest first when there are too many. */
export async function listWebhookPathHashes(tx: Db, limit: number): Promise<string[]> {
  const rows = await tx
    .selectFrom('connection')
    .select('webhook_path_hash')
    .orderBy('created_at', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ webhook_path_hash: hash }) => hash);
}

export async function setConnection(
  tx: Db,
  id: ConnectionId,
  change: Partial<Omit<Connection, 'workspace_id' | 'id'>>,
): Promise<Connection | undefined> {
  return tx
    .updateTable('connection')
    .set(change)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Changes the status if it is one of `from`; false when somebody else was first. */
export async function setStatus(
  tx: Db,
  id: ConnectionId,
  change: {
    from: readonly ConnectionStatus[];
    to: ConnectionStatus;
    reason: ReasonCode | null;
    now: Date;
  },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('connection')
    .set({ status: change.to, status_reason: change.reason, updated_at: change.now })
    .where('id', '=', id)
    .where('status', 'in', change.from)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function removeConnection(tx: Db, id: ConnectionId): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('connection')
    .where('id', '=', id)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
