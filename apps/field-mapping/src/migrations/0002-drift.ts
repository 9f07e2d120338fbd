import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table field_mapping add column fields jsonb not null default '[]'`.execute(db);
  await sql`create index field_mapping_connection on field_mapping (workspace_id, connection_id)`.execute(
    db,
  );
  await sql`create table mapping_drift (
    workspace_id text not null, mapping_id text not null, row_id text not null,
    change text not null check (change in ('RENAMED', 'RETYPED', 'OPTIONS_LOST', 'REMOVED')),
    object text not null, field text not null, before text, after text,
    published boolean not null, working boolean not null, quarantined boolean not null,
    since timestamptz not null,
    primary key (workspace_id, mapping_id, row_id, change)
  )`.execute(db);
  await isolateByWorkspace(db, 'mapping_drift');
}
