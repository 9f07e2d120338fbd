import { type Kysely, sql } from 'kysely';

/** Subscriptions Pipedrive gave up are told apart from banned ones. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table webhook_health drop constraint webhook_health_state_check`.execute(db);
  await sql`alter table webhook_health add constraint webhook_health_state_check check
    (state in ('UNKNOWN', 'HEALTHY', 'FAILING', 'BANNED', 'REMOVED', 'MISSING'))`.execute(db);
}
