import { type Kysely, sql } from 'kysely';

/** The API key somebody acted through; entries from before have none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table audit_entry add column actor_api_key_id text`.execute(db);
  await sql`create index audit_entry_by_key on audit_entry
    (workspace_id, actor_api_key_id, occurred_at, id) where actor_api_key_id is not null`.execute(
    db,
  );
}
