import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table webhook_receipt
    add column kind text not null default 'webhook' check (kind in ('webhook', 'read')),
    add column action text, add column revision bigint`.execute(db);
  await sql`alter table webhook_receipt drop constraint webhook_receipt_state_check`.execute(db);
  await sql`alter table webhook_receipt add constraint webhook_receipt_state_check check
    (state in ('received', 'understood', 'repeated', 'superseded', 'ignored', 'parked'))`.execute(
    db,
  );
  await sql`create index webhook_receipt_record
    on webhook_receipt (workspace_id, connection_id, object, pipedrive_id, revision)
    where state = 'understood'`.execute(db);
  // known by the id of its connection
  await sql`create table webhook_health (
    workspace_id text not null, id text not null,
    state text not null check (state in ('UNKNOWN', 'HEALTHY', 'FAILING', 'BANNED', 'MISSING')),
    checked_at timestamptz, last_delivery_at timestamptz, last_status int,
    banned_until timestamptz, repaired_at timestamptz,
    previous_id text, previous_password text, previous_until timestamptz,
    rotate_at timestamptz, due_at timestamptz not null,
    primary key (workspace_id, id)
  )`.execute(db);
  await sql`create index webhook_health_due on webhook_health (due_at)`.execute(db);
  await isolateByWorkspace(db, 'webhook_health');
}
