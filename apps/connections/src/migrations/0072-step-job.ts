import { type Kysely, sql } from 'kysely';

/** What a step is sent as a part of, so that a long job and a short one take turns. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table write_step add column job text not null default ''`.execute(db);
  await sql`select set_config('manifold.workspace', '*', true)`.execute(db);
  await sql`update write_step s set job = coalesce(r.change_set_id, r.cause_service)
    from write_request r where r.workspace_id = s.workspace_id and r.id = s.write_request_id`.execute(
    db,
  );
  await sql`select set_config('manifold.workspace', '', true)`.execute(db);
  await sql`drop index write_step_due`.execute(db);
  await sql`create index write_step_due
    on write_step (workspace_id, connection_id, lane, job, not_before, id)
    where state in ('queued', 'sending', 'unknown')`.execute(db);
  await sql`create index write_step_leased on write_step (workspace_id, connection_id, job)
    where lease_until is not null`.execute(db);
  await sql`create index write_request_pending on write_request (workspace_id, connection_id)
    where state = 'pending'`.execute(db);
}
