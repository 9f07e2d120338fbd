import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createSets(db);
  await sql`create table change (
    workspace_id text not null, id text not null, change_set_id text not null,
    write_request_id text not null, write_step_id text not null, undoes_change_id text,
    object text not null,
    effect text check (effect in ('create', 'update', 'delete', 'merge', 'link', 'none')),
    matched_by text, pipedrive_id text, reason text, changed_keys text[] not null,
    kept_keys text[] not null, candidates text[] not null, record_update_time text,
    sealed_before text, sealed_after text, after_hash text, price_tokens int not null,
    checked_at timestamptz, primary key (workspace_id, id),
    foreign key (workspace_id, change_set_id) references change_set (workspace_id, id)
  )`.execute(db);
  await sql`create index change_of_set on change (workspace_id, change_set_id, id)`.execute(db);
  await sql`create unique index change_step on change (workspace_id, write_step_id)`.execute(db);
  await sql`create index change_request on change (workspace_id, write_request_id)`.execute(db);
  await sql`create index change_record
    on change (workspace_id, change_set_id, object, pipedrive_id)`.execute(db);
  await sql`create index change_unplanned on change (workspace_id, change_set_id, id)
    where effect is null`.execute(db);
  await sql`create index change_effective on change (workspace_id, change_set_id, id)
    where effect <> 'none'`.execute(db);
  await sql`create table write_policy (
    workspace_id text primary key,
    automatic text not null check (automatic in ('NEVER', 'UPDATES', 'ALL')),
    automatic_max_records int, max_records int, max_percent double precision,
    allow_deletes boolean not null, allow_merges boolean not null,
    image_days int not null check (image_days between 0 and 30),
    approver_role text not null check (approver_role in ('MEMBER', 'ADMIN', 'OWNER')),
    updated_at timestamptz not null
  )`.execute(db);
  await joinWrites(db);
  for (const table of ['change_set', 'change', 'write_policy']) {
    await isolateByWorkspace(db, table);
  }
}

async function createSets(db: Kysely<unknown>): Promise<void> {
  await sql`create table change_set (
    workspace_id text not null, id text not null, connection_id text not null,
    company_id text not null, kind text not null check (kind in ('WRITE', 'UNDO')),
    undoes_id text, title text not null,
    state text not null check (state in ('open', 'planning', 'awaiting_approval', 'applying',
      'paused', 'cancelling', 'cancelled', 'done', 'failed')),
    reason text, cause_service text not null, cause_type text not null, cause_id text not null,
    actor_kind text not null, actor_id text not null, correlation_id text not null,
    max_records int, max_percent double precision, allow_deletes boolean not null,
    allow_merges boolean not null, change_count int not null, undo_cursor text, hash text,
    price_tokens int, spent_tokens int not null, approved_changes int, approved_by text,
    approved_at timestamptz, image_days int not null, images_until timestamptz,
    not_before timestamptz not null, lease_until timestamptz, lease_owner text,
    fence int not null, attempts int not null, waiting_reason text,
    created_at timestamptz not null, closed_at timestamptz, planned_at timestamptz,
    started_at timestamptz, ended_at timestamptz, primary key (workspace_id, id)
  )`.execute(db);
  await sql`create index change_set_due on change_set (not_before)
    where state in ('planning', 'applying', 'cancelling')`.execute(db);
  await sql`create index change_set_images on change_set (images_until)
    where images_until is not null`.execute(db);
  await sql`create unique index change_set_undo on change_set (workspace_id, undoes_id)
    where state not in ('cancelled', 'failed', 'done')`.execute(db);
}

/** A write of a set rests until `released_at`. */
async function joinWrites(db: Kysely<unknown>): Promise<void> {
  await sql`alter table write_request add column change_set_id text,
    add column released_at timestamptz`.execute(db);
  await sql`create index write_request_of_set on write_request (workspace_id, change_set_id, id)
    where change_set_id is not null and state = 'pending'`.execute(db);
  await sql`alter table write_step add column change_id text`.execute(db);
}
