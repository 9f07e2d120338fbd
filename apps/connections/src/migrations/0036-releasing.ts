import { type Kysely, sql } from 'kysely';

/** Grants that are given back until Pipedrive says so, and with which right a connection was begun. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table pipedrive_grant add column release_at timestamptz`.execute(db);
  await sql`create index pipedrive_grant_release on pipedrive_grant (release_at)
    where release_at is not null`.execute(db);
  await sql`alter table oauth_state add column by_admin boolean not null default false`.execute(db);
}
