import { createIdempotency, isolateByWorkspace } from '@manifold/database';
import { createMessaging } from '@manifold/messaging';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table workspace (
    workspace_id text primary key, name text not null, created_at timestamptz not null
  )`.execute(db);
  await sql`create table app_user (
    id text primary key, email text not null unique, created_at timestamptz not null
  )`.execute(db);
  await sql`create table member (
    workspace_id text not null references workspace, id text not null,
    user_id text not null references app_user, name text not null, role text not null,
    created_at timestamptz not null,
    primary key (workspace_id, id), unique (workspace_id, user_id)
  )`.execute(db);
  // a person's workspaces, asked for by that person
  await sql`create index member_user on member (user_id, workspace_id)`.execute(db);
  await sql`create table api_key (
    workspace_id text not null references workspace, id text not null,
    user_id text not null references app_user, name text not null,
    key_hash text not null unique, prefix text not null, created_by text not null,
    reach text not null check (reach in ('user', 'workspace')),
    created_at timestamptz not null, revoked_at timestamptz,
    last_used_at timestamptz,
    primary key (workspace_id, id)
  )`.execute(db);
  await sql`create index api_key_user on api_key (workspace_id, user_id)`.execute(db);
  await sql`create table entitlement (
    workspace_id text not null references workspace, name text not null,
    enabled boolean not null, changed_at timestamptz not null,
    primary key (workspace_id, name)
  )`.execute(db);
  for (const table of ['workspace', 'member', 'api_key', 'entitlement']) {
    await isolateByWorkspace(db, table);
  }
  await isolateUsersByMembership(db);
  await createMessaging(db);
  await createIdempotency(db);
}

/** A person is seen where the person is a member, and added only by a look-up across workspaces. */
async function isolateUsersByMembership(db: Kysely<unknown>): Promise<void> {
  await sql`alter table app_user enable row level security`.execute(db);
  await sql`alter table app_user force row level security`.execute(db);
  await sql`create policy by_membership on app_user using (
    (select current_setting('manifold.workspace', true)) = '*'
    or exists (select from member where member.user_id = app_user.id
      and member.workspace_id = (select current_setting('manifold.workspace', true)))
  ) with check ((select current_setting('manifold.workspace', true)) = '*')`.execute(db);
}
