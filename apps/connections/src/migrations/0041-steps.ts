import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table write_step
    add column survivor_hashes text[] not null default '{}', add column loser_pipedrive_id text,
    add column mark text,
    add column sealed_before text, add column sealed_after text,
    add column images_until timestamptz`.execute(db);
  await sql`create index write_step_in_doubt
    on write_step (workspace_id, connection_id, lane, not_before, id)
    where state in ('sending', 'unknown')`.execute(db);
  await sql`create index write_step_images on write_step (images_until)
    where images_until is not null`.execute(db);
  await sql`create index write_step_loser on write_step (workspace_id, company_id, loser_pipedrive_id)
    where loser_pipedrive_id is not null`.execute(db);
  await sql`create index write_step_parked on write_step (workspace_id, created_at, id)
    where state = 'parked'`.execute(db);
  await sql`create index write_step_created on write_step (workspace_id, created_at, id)`.execute(
    db,
  );
  await sql`create table record_hash (
    workspace_id text not null, company_id text not null, object text not null,
    pipedrive_id text not null, hashes text not null, update_time timestamptz,
    seen_at timestamptz not null,
    primary key (workspace_id, company_id, object, pipedrive_id)
  )`.execute(db);
  await createOverwrites(db);
  for (const table of ['record_hash', 'overwrite']) {
    await isolateByWorkspace(db, table);
  }
}

async function createOverwrites(db: Kysely<unknown>): Promise<void> {
  await sql`create table overwrite (
    workspace_id text not null, id text not null, write_step_id text not null,
    write_request_id text not null, connection_id text not null, company_id text not null,
    object text not null, pipedrive_id text not null, pipedrive_url text, fields text[] not null,
    sealed_values text, values_until timestamptz not null,
    state text not null check (state in ('open', 'restored', 'dismissed')),
    restored_by text, actor_kind text not null, actor_id text not null,
    noticed_at timestamptz not null, closed_at timestamptz,
    primary key (workspace_id, id), unique (workspace_id, write_step_id)
  )`.execute(db);
  await sql`create index overwrite_noticed on overwrite (workspace_id, noticed_at, id)`.execute(db);
  await sql`create index overwrite_values on overwrite (values_until)
    where sealed_values is not null`.execute(db);
}
