import { type Kysely, sql } from 'kysely';

/** A connection is looked up before every call, in any scope, by its id alone. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create unique index connection_id on connection (id)`.execute(db);
}
