import type {
  ChangeId,
  ChangeSetId,
  ConnectionId,
  UserId,
  WriteRequestId,
} from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';

interface RequestRow {
  id: WriteRequestId;
}
const idsOf = (rows: readonly RequestRow[]): WriteRequestId[] => rows.map(({ id }) => id);

/** The first requests of a set that rest and hold a change to be written, each with how many. */
export async function listResting(
  tx: Db,
  setId: ChangeSetId,
  limit: number,
): Promise<{ id: WriteRequestId; changes: number }[]> {
  const { rows } = await sql<{ id: WriteRequestId; changes: number }>`
    with first as (
      select distinct id from (
        select r.id from change c
        -- one by one: the planner may know nothing of a young table
        cross join lateral (
          select id, state, released_at from write_request
          where workspace_id = c.workspace_id and id = c.write_request_id offset 0) r
        where c.${ofThisWorkspace} and c.change_set_id = ${setId} and c.effect <> 'none'
          and r.state = 'pending' and r.released_at is null
        order by c.id limit ${limit}
      ) next
    )
    -- all changes of a request, also those beyond the limit
    select first.id, count(*)::int as changes from first join change c
      on c.${ofThisWorkspace} and c.write_request_id = first.id and c.effect <> 'none'
    group by 1 order by 1`.execute(tx);
  return rows;
}

/**
 * Requests of a set that nothing has ended yet: of released ones no more than matter, which come
 * first, and whether any rests. Asked many times a second, also of a set of a hundred thousand.
 */
export async function lookAtPending(
  tx: Db,
  setId: ChangeSetId,
  most: number,
): Promise<{ released: number; rests: boolean }> {
  const pending = sql`from write_request
    where ${ofThisWorkspace} and change_set_id = ${setId} and state = 'pending'`;
  const { rows } = await sql<{ released: number; rests: boolean }>`
    select (select count(*)::int from (
        select ${pending} and released_at is not null order by id limit ${most}) first) as released,
      exists (select ${pending} and released_at is null order by id limit 1) as rests`.execute(tx);
  return rows[0] ?? { released: 0, rests: false };
}

/** Requests of a set that nothing has ended yet; released ones and resting ones apart. */
export async function countPending(
  tx: Db,
  setId: ChangeSetId,
): Promise<{ released: number; resting: number }> {
  const { rows } = await sql<{ released: number; resting: number }>`
    select count(*) filter (where released_at is not null)::int as released,
      count(*) filter (where released_at is null)::int as resting
    from write_request
    where ${ofThisWorkspace} and change_set_id = ${setId} and state = 'pending'`.execute(tx);
  return rows[0] ?? { released: 0, resting: 0 };
}

/** How many changes of a set were handed to the sender so far. */
export async function countReleasedChanges(tx: Db, setId: ChangeSetId): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from change c
    join write_request r on r.workspace_id = c.workspace_id and r.id = c.write_request_id
    where c.${ofThisWorkspace} and c.change_set_id = ${setId} and c.effect <> 'none'
      and r.released_at is not null`.execute(tx);
  return rows[0]?.count ?? 0;
}

/** Marks requests that still rest as handed to the sender, through a connection; returns which. */
export async function releaseRequests(
  tx: Db,
  ids: readonly WriteRequestId[],
  to: { connectionId: ConnectionId; userId: UserId | null; now: Date },
): Promise<WriteRequestId[]> {
  if (ids.length === 0) return [];
  const { connectionId, userId, now } = to;
  const rows = await tx
    .updateTable('write_request')
    .set({ released_at: now, connection_id: connectionId, acting_user_id: userId })
    .where(ofThisWorkspace)
    .where('id', 'in', ids)
    .where('state', '=', 'pending')
    .where('released_at', 'is', null)
    .returning('id')
    .execute();
  const released = idsOf(rows);
  if (released.length > 0) await setConnection(tx, released, connectionId);
  return released;
}

async function setConnection(
  tx: Db,
  requestIds: readonly WriteRequestId[],
  connectionId: ConnectionId,
): Promise<void> {
  await tx
    .updateTable('write_step')
    .set({ connection_id: connectionId })
    .where(ofThisWorkspace)
    .where('write_request_id', 'in', requestIds)
    .where('state', '=', 'planned')
    .where('connection_id', '<>', connectionId)
    .execute();
}

/** Says that the records of these changes were seen to be as planned. */
export async function setChecked(tx: Db, ids: readonly ChangeId[], at: Date): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .updateTable('change')
    .set({ checked_at: at })
    .where(ofThisWorkspace)
    .where('id', 'in', ids)
    .execute();
}

/** Released requests of a set of which nothing has been sent or has ended, by id. */
export async function listRecallable(
  tx: Db,
  setId: ChangeSetId,
  { after, limit }: { after?: WriteRequestId | undefined; limit?: number } = {},
): Promise<WriteRequestId[]> {
  const { rows } = await sql<RequestRow>`
    select r.id from write_request r
    join write_step s on s.workspace_id = r.workspace_id and s.write_request_id = r.id
    where r.${ofThisWorkspace} and r.change_set_id = ${setId} and r.state = 'pending'
      and r.released_at is not null and r.id > ${after ?? ''}
    group by r.id
    having bool_and(s.state in ('planned', 'queued') and s.sent_at is null)
      and bool_or(s.state = 'queued')
    order by r.id limit ${limit ?? null}`.execute(tx);
  return idsOf(rows);
}

/** A request that was taken back is the organization's again, whoever had lent their name to it. */
export async function setResting(tx: Db, id: WriteRequestId): Promise<void> {
  await sql`
    with resting as (
      update write_request r set released_at = null, acting_user_id = null,
        connection_id = s.connection_id
      from change_set s
      where r.${ofThisWorkspace} and r.id = ${id}
        and s.workspace_id = r.workspace_id and s.id = r.change_set_id
      returning r.workspace_id, r.id, r.connection_id
    )
    update write_step step set connection_id = resting.connection_id from resting
    where step.workspace_id = resting.workspace_id and step.write_request_id = resting.id
      and step.state = 'planned' and step.connection_id <> resting.connection_id`.execute(tx);
}

/** Requests of a set that were not handed to the sender, in the order they are closed. */
export async function listRestingIds(
  tx: Db,
  setId: ChangeSetId,
  limit: number,
): Promise<WriteRequestId[]> {
  const rows = await tx
    .selectFrom('write_request')
    .select('id')
    .where(ofThisWorkspace)
    .where('change_set_id', '=', setId)
    .where('state', '=', 'pending')
    .where('released_at', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute();
  return idsOf(rows);
}

/** Removes the values a set keeps. */
export async function clearImages(tx: Db, setId: ChangeSetId): Promise<void> {
  await tx
    .updateTable('change')
    .set({ sealed_before: null, sealed_after: null })
    .where(ofThisWorkspace)
    .where('change_set_id', '=', setId)
    .where((where) =>
      where.or([where('sealed_before', 'is not', null), where('sealed_after', 'is not', null)]),
    )
    .execute();
}
