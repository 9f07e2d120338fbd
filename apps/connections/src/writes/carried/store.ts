import type { WriteRequestId, WriteStepId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { Step } from '../store.ts';

/** The steps that handed what they were to write to this one. */
export async function listCarried(tx: Db, carrier: WriteStepId): Promise<Step[]> {
  return tx
    .selectFrom('write_step')
    .selectAll()
    .where(ofThisWorkspace)
    .where('superseded_by', '=', carrier)
    .where('sealed_body', 'is not', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** The same with those that handed over to them, and so on, the oldest first. */
export async function listAllCarried(
  tx: Db,
  { workspace_id, id }: Pick<Step, 'workspace_id' | 'id'>,
): Promise<Step[]> {
  const { rows } = await sql<Step>`
    with recursive carried (id) as (
      select id from write_step
      where workspace_id = ${workspace_id} and superseded_by = ${id} and sealed_body is not null
      union
      select s.id from carried cross join lateral (
        select id from write_step where workspace_id = ${workspace_id}
          and superseded_by = carried.id and sealed_body is not null offset 0) s
    )
    select s.* from write_step s
    where s.workspace_id = ${workspace_id} and s.id = any (array(select id from carried))
      and s.id <> ${id}
    order by s.created_at, s.id`.execute(tx);
  return rows;
}

/** Gives what a step carries to another one. */
export async function moveCarried(
  tx: Db,
  { from, to }: { from: WriteStepId; to: WriteStepId },
): Promise<void> {
  await tx
    .updateTable('write_step')
    .set({ superseded_by: to })
    .where(ofThisWorkspace)
    .where('superseded_by', '=', from)
    .execute();
}

/** The steps of requests, all that handed over to them, and those they were handed over to; by id. */
export async function listJoined(tx: Db, requestIds: readonly WriteRequestId[]): Promise<Step[]> {
  const { rows } = await sql<Step>`
    with recursive own (id, carrier) as (
      select id, case when sealed_body is not null then superseded_by end from write_step
      where ${ofThisWorkspace} and write_request_id = any(${requestIds}::text[])
    ), above (id) as (
      select carrier from own where carrier is not null
      union
      select s.superseded_by from above join write_step s on s.${ofThisWorkspace}
        and s.id = above.id and s.superseded_by is not null
    ), below (id) as (
      select id from own
      union
      select s.id from below join write_step s on s.${ofThisWorkspace}
        and s.superseded_by = below.id and s.sealed_body is not null
    )
    select s.* from write_step s
    where s.${ofThisWorkspace} and s.id in (select id from above union select id from below)
    order by s.id`.execute(tx);
  return rows;
}

/** Locks requests until the transaction ends, in the order of their ids. */
export async function lockRequests(tx: Db, ids: readonly WriteRequestId[]): Promise<void> {
  await sql`select from write_request
    where ${ofThisWorkspace} and id = any(${ids}::text[]) order by id for update`.execute(tx);
}

/** The same of steps: after their requests. */
export async function lockSteps(tx: Db, ids: readonly WriteStepId[]): Promise<void> {
  await sql`select from write_step
    where ${ofThisWorkspace} and id = any(${ids}::text[]) order by id for update`.execute(tx);
}

/** Where a transaction can go back to, giving up what it has locked since. */
export async function setSavepoint(tx: Db): Promise<void> {
  await sql`savepoint locks`.execute(tx);
}

export async function goBackToSavepoint(tx: Db): Promise<void> {
  await sql`rollback to savepoint locks`.execute(tx);
}
