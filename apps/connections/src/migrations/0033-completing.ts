import { type Kysely, sql } from 'kysely';

/** A consent that came back waits until whoever began it completes it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table oauth_state
    add column id text not null default gen_random_uuid()::text,
    add column code_hash text, add column code_expires_at timestamptz,
    add column sealed_code text, add column sealed_grant text,
    add column claimed_until timestamptz, add column attempts int not null default 0,
    add column finished_at timestamptz, add column connection_id text`.execute(db);
  await sql`create unique index oauth_state_code on oauth_state (workspace_id, code_hash)
    where code_hash is not null`.execute(db);
  await sql`create index oauth_state_traded on oauth_state (claimed_until)
    where sealed_grant is not null`.execute(db);
}
