import { type Kysely, sql } from 'kysely';

/** The API key somebody asked for a write through, for what is told of it later. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table write_request add column actor_api_key_id text`.execute(db);
}
