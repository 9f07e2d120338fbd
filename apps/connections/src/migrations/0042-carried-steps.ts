import { type Kysely, sql } from 'kysely';

/** Which step took over what another one was to write. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table write_step add column superseded_by text`.execute(db);
  await sql`create index write_step_carried on write_step (workspace_id, superseded_by)
    where superseded_by is not null`.execute(db);
}
