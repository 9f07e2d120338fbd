import { type Kysely, sql } from 'kysely';

/** As of when a comparison read, and one that waits for the end of the one that runs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table completeness_certificate add column as_of timestamptz`.execute(db);
  // those that were read before this was kept began to read after they began
  await sql`select set_config('manifold.workspace', '*', true)`.execute(db);
  await sql`update completeness_certificate set as_of = started_at
    where cursor is not null or is_read`.execute(db);
  await sql`select set_config('manifold.workspace', '', true)`.execute(db);
  await sql`alter table completeness_certificate
    drop constraint completeness_certificate_state_check`.execute(db);
  await sql`alter table completeness_certificate add constraint completeness_certificate_state_check
    check (state in ('WAITING', 'CHECKING', 'BASELINE', 'CLEAN', 'GAPS', 'REPAIRING', 'REPAIRED',
      'CANCELLED', 'FAILED'))`.execute(db);
  await sql`create unique index completeness_certificate_waiting
    on completeness_certificate (workspace_id, company_id, object)
    where state = 'WAITING'`.execute(db);
}
