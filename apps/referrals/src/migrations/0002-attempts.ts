import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table referral_user
    add column delivery_attempt int not null default 1,
    add column delivery_written boolean not null default false,
    add column delivery_cancelled boolean not null default false,
    add column superseded_request_id text`.execute(db);
}
