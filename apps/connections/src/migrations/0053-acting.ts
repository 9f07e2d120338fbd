import { type Kysely, sql } from 'kysely';

/** Under whose connection a set is written, and an end for sets that nobody decides about. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table change_set add column acting_user_id text,
    add column acting_connection_id text`.execute(db);
  await sql`select set_config('manifold.workspace', '*', true)`.execute(db);
  await sql`update change_set set images_until = now() + interval '30 days'
    where images_until is null and state in ('open', 'planning')`.execute(db);
  await sql`select set_config('manifold.workspace', '', true)`.execute(db);
}
