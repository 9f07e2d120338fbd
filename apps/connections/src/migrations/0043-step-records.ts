import { type Kysely, sql } from 'kysely';

/** Which record a step is about before it ends, and what it wrote, to tell its echo by. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table write_step
    add column target_pipedrive_id text, add column sent_hashes text`.execute(db);
  await sql`create index write_step_target on write_step (workspace_id, target_pipedrive_id)
    where target_pipedrive_id is not null`.execute(db);
  await sql`create index write_step_open_create
    on write_step (workspace_id, company_id, object, sent_at, id)
    where state in ('sending', 'unknown') and sent_effect = 'created'`.execute(db);
}
