import { type Kysely, sql } from 'kysely';

/** What searches for a step have shown, so that it is not searched for again moments later. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table write_step add column searched text`.execute(db);
}
