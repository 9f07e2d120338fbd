import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table link (
    workspace_id text not null, company_id text not null, object text not null,
    key_hash text not null, state text not null check (state in ('creating', 'linked', 'gone')),
    pipedrive_id text, step_id text, updated_at timestamptz not null,
    primary key (workspace_id, company_id, object, key_hash)
  )`.execute(db);
  await sql`create index link_record
    on link (workspace_id, company_id, object, pipedrive_id)`.execute(db);
  await sql`create index link_claim on link (workspace_id, step_id) where state = 'creating'`.execute(
    db,
  );
  await isolateByWorkspace(db, 'link');
}
