import type { ChangeId, ChangeSetId, WriteRequestId } from '@manifold/contracts';
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
    select id, count(*)::int as changes from (
      select r.id from change c
      join write_request r on r.workspace_id = c.workspace_id and r.id = c.write_request_id
      where c.${ofThisWorkspace} and c.change_set_id = ${setId} and c.effect <> 'none'
        and r.state = 'pending' and r.released_at is null
      order by c.id limit ${limit}
    ) first group by id order by id`.execute(tx);
  return rows;
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

/** Marks requests that still rest as handed to the sender; returns which. */
export async function releaseRequests(
  tx: Db,
  ids: readonly WriteRequestId[],
  now: Date,
): Promise<WriteRequestId[]> {
  if (ids.length === 0) return [];
  const rows = await tx
    .updateTable('write_request')
    .set({ released_at: now })
    .where(ofThisWorkspace)
    .where('id', 'in', ids)
    .where('state', '=', 'pending')
    .where('released_at', 'is', null)
    .returning('id')
    .execute();
  return idsOf(rows);
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

/** Released requests of a set of which nothing has been sent or has ended. */
export async function listRecallable(tx: Db, setId: ChangeSetId): Promise<WriteRequestId[]> {
  const { rows } = await sql<RequestRow>`
    select r.id from write_request r
    join write_step s on s.workspace_id = r.workspace_id and s.write_request_id = r.id
    where r.${ofThisWorkspace} and r.change_set_id = ${setId} and r.state = 'pending'
      and r.released_at is not null
    group by r.id
    having bool_and(s.state in ('planned', 'queued') and s.sent_at is null)
      and bool_or(s.state = 'queued')
    order by r.id`.execute(tx);
  return idsOf(rows);
}

export async function setResting(tx: Db, id: WriteRequestId): Promise<void> {
  await tx
    .updateTable('write_request')
    .set({ released_at: null })
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .execute();
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
