import type { ConnectionId, WriteRequestId, WriteStepId } from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import { ofThisWorkspace } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { type ExpressionBuilder, type Insertable, type Selectable, sql } from 'kysely';
import type { Db, Tables } from '../store.ts';
import type { RequestState, WriteTables } from './tables.ts';

export type WriteRequest = Selectable<WriteTables['write_request']>;
export type Step = Selectable<WriteTables['write_step']>;

export async function insertRequest(
  tx: Db,
  request: Insertable<WriteTables['write_request']>,
): Promise<void> {
  await tx.insertInto('write_request').values(request).execute();
}

export async function insertSteps(
  tx: Db,
  steps: Insertable<WriteTables['write_step']>[],
): Promise<void> {
  await tx.insertInto('write_step').values(steps).execute();
}

export async function findRequestByKey(
  tx: Db,
  idempotencyKey: string,
): Promise<Pick<WriteRequest, 'id' | 'body_hash'> | undefined> {
  return tx
    .selectFrom('write_request')
    .select(['id', 'body_hash'])
    .where(ofThisWorkspace)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
}

export async function findRequest(tx: Db, id: WriteRequestId): Promise<WriteRequest | undefined> {
  return tx
    .selectFrom('write_request')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** One change of a request at a time: its steps move only under this lock. */
export async function lockRequest(tx: Db, id: WriteRequestId): Promise<WriteRequest | undefined> {
  return tx
    .selectFrom('write_request')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

export async function setRequestState(
  tx: Db,
  id: WriteRequestId,
  change: Pick<WriteRequest, 'state' | 'reason' | 'settled_at'>,
): Promise<void> {
  await tx
    .updateTable('write_request')
    .set(change)
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .execute();
}

export async function findStep(tx: Db, id: WriteStepId): Promise<Step | undefined> {
  return tx
    .selectFrom('write_step')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** The steps of requests, in their order. */
export async function listSteps(tx: Db, requestIds: readonly WriteRequestId[]): Promise<Step[]> {
  if (requestIds.length === 0) return [];
  return tx
    .selectFrom('write_step')
    .selectAll()
    .where(ofThisWorkspace)
    .where('write_request_id', 'in', requestIds)
    .orderBy('position')
    .execute();
}

export async function listStepsByIds(tx: Db, ids: readonly WriteStepId[]): Promise<Step[]> {
  if (ids.length === 0) return [];
  return tx
    .selectFrom('write_step')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', 'in', ids)
    .execute();
}

export async function listRequestsByIds(
  tx: Db,
  ids: readonly WriteRequestId[],
): Promise<WriteRequest[]> {
  if (ids.length === 0) return [];
  return tx
    .selectFrom('write_request')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', 'in', ids)
    .execute();
}

export interface RequestFilter {
  states?: readonly RequestState[] | undefined;
  connectionId?: string | undefined;
  causeService?: string | undefined;
  causeType?: string | undefined;
  causeId?: string | undefined;
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
}

const matches = (filter: RequestFilter) => (where: ExpressionBuilder<Tables, 'write_request'>) =>
  where.and([
    ofThisWorkspace,
    ...(filter.states ? [where('state', 'in', filter.states)] : []),
    ...(filter.connectionId ? [where(sql<string>`connection_id`, '=', filter.connectionId)] : []),
    ...(filter.causeService ? [where('cause_service', '=', filter.causeService)] : []),
    ...(filter.causeType ? [where('cause_type', '=', filter.causeType)] : []),
    ...(filter.causeId ? [where('cause_id', '=', filter.causeId)] : []),
    ...(filter.createdAfter ? [where('created_at', '>=', filter.createdAfter)] : []),
    ...(filter.createdBefore ? [where('created_at', '<', filter.createdBefore)] : []),
  ]);

/** One page of requests by time of creation; the cursor is the time and the id of a row. */
export async function listRequests(
  tx: Db,
  filter: RequestFilter,
  page: PageRequest & { newestFirst: boolean },
): Promise<WriteRequest[]> {
  const rows = tx.selectFrom('write_request').selectAll().where(matches(filter));
  const by = ['created_at', 'id'];
  return pageByKeyset(rows, { by, descending: page.newestFirst, page }).execute();
}

export async function countRequests(tx: Db, filter: RequestFilter): Promise<number> {
  return countRows(tx.selectFrom('write_request').where(matches(filter)));
}

export interface OpenRequestsPage {
  after: WriteRequestId | undefined;
  limit: number;
}

/** Requests of a connection that wait for something. */
export async function listOpenRequests(
  tx: Db,
  connectionId: ConnectionId,
  page?: OpenRequestsPage,
): Promise<WriteRequestId[]> {
  const rows = await tx
    .selectFrom('write_request')
    .select('id')
    .where(ofThisWorkspace)
    .where('connection_id', '=', connectionId)
    .where('state', 'in', ['pending', 'parked'])
    // in one order, so that two who take them never wait for each other
    .orderBy('id')
    .$if(page !== undefined, (query) => query.limit(page?.limit ?? 0))
    .$if(page?.after !== undefined, (query) => query.where('id', '>', page?.after ?? null))
    .execute();
  return rows.map(({ id }) => id);
}
