import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table oauth_state (
    workspace_id text not null, state_hash text not null, user_id text not null, kind text not null,
    return_url text, correlation_id text not null, expires_at timestamptz not null,
    used_at timestamptz, created_at timestamptz not null,
    primary key (workspace_id, state_hash)
  )`.execute(db);
  // looked up by the state alone when the browser comes back
  await sql`create unique index oauth_state_hash on oauth_state (state_hash)`.execute(db);
  await sql`create table connection (
    workspace_id text not null, id text not null, user_id text not null,
    kind text not null check (kind in ('ORGANIZATION', 'PERSONAL')),
    method text not null check (method in ('OAUTH', 'API_TOKEN')),
    status text not null check (status in ('ACTIVE', 'DISABLED', 'NEEDS_REAUTH')),
    status_reason text,
    company_id text not null, company_name text not null, company_domain text not null,
    api_domain text not null, pipedrive_user_id text not null, is_admin boolean not null,
    scopes text[] not null,
    access_token text, refresh_token text, expires_at timestamptz, refresh_at timestamptz,
    token_version int not null,
    webhook_state text not null check (webhook_state in ('PENDING', 'ACTIVE', 'FAILED')),
    webhook_id text, webhook_path text not null, webhook_path_hash text not null,
    webhook_password text not null,
    is_renewal boolean not null, established_at timestamptz, upkeep_at timestamptz not null, correlation_id text not null,
    created_at timestamptz not null, updated_at timestamptz not null,
    primary key (workspace_id, id), unique (workspace_id, company_id, pipedrive_user_id)
  )`.execute(db);
  await sql`create unique index connection_webhook on connection (webhook_path_hash)`.execute(db);
  await sql`create index connection_grant on connection (company_id, pipedrive_user_id)`.execute(
    db,
  );
  await sql`create index connection_upkeep on connection (upkeep_at)`.execute(db);
  await sql`create table field_catalogue (
    workspace_id text not null, connection_id text not null, object text not null,
    revision int not null, definitions text not null, read_at timestamptz not null,
    is_stale boolean not null, primary key (workspace_id, connection_id, object)
  )`.execute(db);
  for (const table of ['oauth_state', 'connection', 'field_catalogue']) {
    await isolateByWorkspace(db, table);
  }
}
