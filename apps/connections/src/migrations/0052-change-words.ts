import { type Kysely, sql } from 'kysely';

/** What was wrong with a row, where that says more than its reason. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table change add column planned_cause text, add column planned_fix text`.execute(
    db,
  );
}
