import { isolateByWorkspace } from '@manifold/database';
import { createMessaging } from '@manifold/messaging';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table audit_entry (
    workspace_id text not null, id text not null, event_id text not null,
    occurred_at timestamptz not null, recorded_at timestamptz not null default now(),
    service text not null, action text not null, actor_kind text not null, actor_id text not null,
    target_type text not null, target_id text not null, outcome text not null, reason text,
    cost_tokens int, connection_id text, object text, pipedrive_id text,
    correlation_id text not null, causation_id text,
    primary key (workspace_id, id), check (substr(id, 4) = substr(event_id, 4))
  )`.execute(db);
  await createIndexes(db);
  await sql`create table audit_subject (
    workspace_id text not null, subject_id text not null, occurred_at timestamptz not null,
    entry_id text not null,
    primary key (workspace_id, subject_id, occurred_at, entry_id)
  )`.execute(db);
  for (const table of ['audit_entry', 'audit_subject']) {
    await isolateByWorkspace(db, table);
    await allowOnlyAppending(db, table);
  }
  await createMessaging(db);
}

/** One per way of asking, each in the order entries are shown in. */
async function createIndexes(db: Kysely<unknown>): Promise<void> {
  const ways = {
    time: sql`workspace_id`,
    service: sql`workspace_id, service`,
    action: sql`workspace_id, action`,
    actor: sql`workspace_id, actor_id`,
    target: sql`workspace_id, target_id`,
    correlation: sql`workspace_id, correlation_id`,
  };
  for (const [way, columns] of Object.entries(ways)) {
    const name = sql.id(`audit_entry_by_${way}`);
    await sql`create index ${name} on audit_entry (${columns}, occurred_at, id)`.execute(db);
  }
  await sql`create index audit_entry_by_record on audit_entry
    (workspace_id, connection_id, object, pipedrive_id, occurred_at, id)
    where pipedrive_id is not null`.execute(db);
  await sql`create index audit_entry_trouble on audit_entry (workspace_id, outcome, occurred_at, id)
    where outcome in ('failed', 'parked')`.execute(db);
}

/** A trigger, because privileges are granted anew at every start. */
async function allowOnlyAppending(db: Kysely<unknown>, table: string): Promise<void> {
  await sql`create or replace function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception 'The ledger only grows' using errcode = 'insufficient_privilege';
    end $$`.execute(db);
  await sql`create trigger only_grows before update or delete or truncate on ${sql.id(table)}
    for each statement execute function refuse_change()`.execute(db);
}
