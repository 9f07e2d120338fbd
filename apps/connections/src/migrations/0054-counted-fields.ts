import { type Kysely, sql } from 'kysely';

/** Which fields the price of a set counts the making of. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table change_set add column makes_fields text[]`.execute(db);
}
