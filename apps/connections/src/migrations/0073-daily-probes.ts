import { type Kysely, sql } from 'kysely';

/** When a spent day is looked at again, and which lanes it has stopped. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table api_day add column probe_at timestamptz,
    add column stopped_lanes text[] not null default '{}'`.execute(db);
}
