import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

/** Who makes a custom field of a company now, and how many it may have, learned when Pipedrive refused one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table field_creation (
    workspace_id text not null, company_id text not null,
    lease_until timestamptz, full_at int, learned_at timestamptz,
    primary key (workspace_id, company_id)
  )`.execute(db);
  await isolateByWorkspace(db, 'field_creation');
}
