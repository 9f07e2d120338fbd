import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

/** Windows belong to a credential, which workspaces may share; a day forgets what nobody tells the end of. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop table api_window`.execute(db);
  await createWindows(db);
  await sql`alter table api_day drop column reserved_tokens,
    add column reservations text not null default '[]',
    add column company_spent_tokens int not null default 0,
    add column told_percent int not null default 0`.execute(db);
  await sql`alter table api_call add column change_set_id text`.execute(db);
  await sql`alter table api_usage add column change_set_id text not null default ''`.execute(db);
  await sql`alter table api_usage drop constraint api_usage_pkey,
    add primary key (workspace_id, connection_id, day, operation, feature, change_set_id)`.execute(
    db,
  );
  await sql`create index api_usage_set on api_usage (workspace_id, change_set_id)
    where change_set_id <> ''`.execute(db);
  await sql`create table api_plan (
    workspace_id text not null, company_id text not null,
    plan text not null check (plan in ('lite', 'growth', 'premium', 'ultimate')),
    seats int not null check (seats between 1 and 100000),
    top_up_tokens int not null check (top_up_tokens >= 0), user_id text not null,
    updated_at timestamptz not null, primary key (workspace_id, company_id)
  )`.execute(db);
  await isolateByWorkspace(db, 'api_plan');
}

async function createWindows(db: Kysely<unknown>): Promise<void> {
  await sql`create table api_window (
    credential text primary key, company_id text not null, burst_limit int,
    burst_slots text not null, search_slots text not null,
    paused_until timestamptz, pause_reason text, blocks int not null, probe_until timestamptz
  )`.execute(db);
  await sql`alter table api_window enable row level security`.execute(db);
  await sql`alter table api_window force row level security`.execute(db);
  await sql`create policy across_workspaces on api_window using (
    (select current_setting('manifold.workspace', true)) = '*'
  )`.execute(db);
  // a workspace reads the windows of the credentials its connections use
  await sql`create policy by_use on api_window for select using (exists (
    select from connection where connection.workspace_id
        = (select current_setting('manifold.workspace', true))
      and coalesce(connection.grant_id,
        'user:' || connection.company_id || ':' || connection.pipedrive_user_id) = credential
  ))`.execute(db);
}
