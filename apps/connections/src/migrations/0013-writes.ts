import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table write_request (
    workspace_id text not null, id text not null, connection_id text not null,
    company_id text not null, acting_user_id text, idempotency_key text not null,
    body_hash text not null,
    state text not null check (state in ('pending', 'succeeded', 'skipped', 'parked', 'cancelled')),
    reason text, lane text not null check (lane in ('interactive', 'event', 'bulk')),
    cause_service text not null, cause_type text not null, cause_id text not null,
    actor_kind text not null, actor_id text not null, correlation_id text not null,
    mapping_id text, mapping_version int, created_at timestamptz not null, settled_at timestamptz,
    primary key (workspace_id, id), unique (workspace_id, idempotency_key)
  )`.execute(db);
  await sql`create index write_request_created
    on write_request (workspace_id, created_at, id)`.execute(db);
  await sql`create index write_request_cause
    on write_request (workspace_id, cause_type, cause_id)`.execute(db);
  await sql`create table write_step (
    workspace_id text not null, id text not null, write_request_id text not null,
    connection_id text not null, company_id text not null, position int not null,
    name text not null, operation text not null, object text not null, existing text not null,
    guard text not null, refers_to text not null, key_hashes text[] not null,
    sealed_body text, sealed_sent text,
    state text not null check (state in ('planned', 'queued', 'sending', 'unknown', 'applied',
      'no_change', 'superseded', 'skipped', 'parked', 'cancelled')),
    lane text not null check (lane in ('interactive', 'event', 'bulk')),
    not_before timestamptz not null, lease_until timestamptz, lease_owner text,
    fence int not null, attempts int not null, unknown_creates int not null,
    sent_at timestamptz, sent_effect text, settle_until timestamptz, echo_pipedrive_id text,
    effect text, reason text, cause text, fix text, pipedrive_id text, pipedrive_url text,
    record_update_time text, candidates text[] not null, changed_keys text[] not null,
    cost_tokens int not null, created_at timestamptz not null, settled_at timestamptz,
    primary key (workspace_id, id),
    foreign key (workspace_id, write_request_id) references write_request (workspace_id, id),
    unique (workspace_id, write_request_id, position)
  )`.execute(db);
  await sql`create index write_step_due
    on write_step (workspace_id, connection_id, lane, not_before, id)
    where state in ('queued', 'sending', 'unknown')`.execute(db);
  await sql`create index write_step_record
    on write_step (workspace_id, company_id, object, pipedrive_id)`.execute(db);
  await createTurns(db);
  for (const table of ['write_request', 'write_step', 'write_turn']) {
    await isolateByWorkspace(db, table);
  }
}

async function createTurns(db: Kysely<unknown>): Promise<void> {
  await sql`create sequence write_turn_number`.execute(db);
  await sql`create table write_turn (
    workspace_id text not null, company_id text not null, key_hash text not null,
    turn bigint not null, step_id text not null,
    primary key (workspace_id, company_id, key_hash, turn)
  )`.execute(db);
  await sql`create index write_turn_step on write_turn (workspace_id, step_id)`.execute(db);
}
