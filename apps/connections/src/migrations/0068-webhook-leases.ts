import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

/** Who changes a connection's subscription at the moment, and what waits to be looked at again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // known by the id of its connection
  await sql`create table webhook_lease (
    workspace_id text not null, id text not null,
    holder text not null, held_until timestamptz not null,
    primary key (workspace_id, id)
  )`.execute(db);
  await isolateByWorkspace(db, 'webhook_lease');
  await sql`create index webhook_receipt_parked on webhook_receipt (workspace_id, connection_id, id)
    where state = 'parked'`.execute(db);
  await sql`create index webhook_receipt_connection
    on webhook_receipt (workspace_id, connection_id)`.execute(db);
}
