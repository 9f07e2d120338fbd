import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table webhook_receipt (
    workspace_id text not null, id text not null, connection_id text not null,
    state text not null check (state in ('received', 'understood', 'repeated', 'ignored', 'parked')),
    body text, record text, meta_id text, object text, pipedrive_id text,
    attempts int not null, not_before timestamptz not null, received_at timestamptz not null,
    primary key (workspace_id, id)
  )`.execute(db);
  await sql`create index webhook_receipt_waiting on webhook_receipt (workspace_id, connection_id, id)
    where state = 'received'`.execute(db);
  await sql`create unique index webhook_receipt_event
    on webhook_receipt (workspace_id, connection_id, meta_id)`.execute(db);
  await sql`create index webhook_receipt_age on webhook_receipt (received_at)`.execute(db);
  await isolateByWorkspace(db, 'webhook_receipt');
}
