import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

/** Who agreed to a field for our own ids in a company, and the field once it is there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table external_id_field (
    workspace_id text not null, company_id text not null,
    object text not null check (object in ('person', 'organization', 'deal', 'product')),
    connection_id text not null, allowed_by text not null, allowed_at timestamptz not null,
    field_code text, found_at timestamptz,
    lease_until timestamptz, refused_reason text, ask_again_at timestamptz,
    primary key (workspace_id, company_id, object),
    foreign key (workspace_id, connection_id) references connection (workspace_id, id)
      on delete cascade
  )`.execute(db);
  await sql`create index external_id_field_connection
    on external_id_field (workspace_id, connection_id)`.execute(db);
  await isolateByWorkspace(db, 'external_id_field');
}
