import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

/** What a user granted an app, once for all workspaces, and what a person consented to for each. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createGrants(db);
  await changeConnections(db);
  await sql`create table consent (
    workspace_id text not null, connection_id text not null, accepted_at timestamptz not null,
    user_id text not null, app_name text, scopes text[] not null, terms_version text,
    primary key (workspace_id, connection_id, accepted_at)
  )`.execute(db);
  await isolateByWorkspace(db, 'consent');
  await sql`alter table oauth_state
    add column app_name text not null default 'default',
    add column accepts_limited_visibility boolean not null default false,
    add column terms_version text`.execute(db);
}

async function createGrants(db: Kysely<unknown>): Promise<void> {
  await sql`create table pipedrive_grant (
    id text primary key, client_id text not null, company_id text not null,
    pipedrive_user_id text not null, api_domain text not null, scopes text[] not null,
    access_token text, refresh_token text,
    expires_at timestamptz not null, refresh_at timestamptz not null, token_version int not null,
    created_at timestamptz not null, renewed_at timestamptz not null,
    unique (client_id, company_id, pipedrive_user_id)
  )`.execute(db);
  await sql`alter table pipedrive_grant enable row level security`.execute(db);
  await sql`alter table pipedrive_grant force row level security`.execute(db);
  await sql`create policy across_workspaces on pipedrive_grant using (
    (select current_setting('manifold.workspace', true)) = '*'
  )`.execute(db);
}

async function changeConnections(db: Kysely<unknown>): Promise<void> {
  await sql`alter table connection
    add column grant_id text, add column app_name text,
    add column accepts_limited_visibility boolean not null default false,
    add column broken_since timestamptz,
    drop column refresh_token, drop column expires_at, drop column refresh_at`.execute(db);
  // tokens sealed for a connection cannot be moved here: their users connect again
  await sql`select set_config('manifold.workspace', '*', true)`.execute(db);
  await sql`update connection set access_token = null, broken_since = updated_at,
      status_reason = 'token_rejected',
      status = case when status = 'ACTIVE' then 'NEEDS_REAUTH' else status end
    where method = 'OAUTH'`.execute(db);
  await sql`select set_config('manifold.workspace', '', true)`.execute(db);
  await sql`create index connection_of_grant on connection (grant_id)`.execute(db);
  // a workspace reads the grants its connections use
  await sql`create policy by_use on pipedrive_grant for select using (exists (
    select from connection where connection.grant_id = pipedrive_grant.id
      and connection.workspace_id = current_setting('manifold.workspace', true)
  ))`.execute(db);
}
