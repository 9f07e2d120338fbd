import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

/** What happened to a source, its runs and its records, newest last; ids and reasons, never values. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table source_activity (
    workspace_id text not null, data_source_id text not null,
    id bigint not null generated always as identity,
    kind text not null, sync_run_id text, object text, pipedrive_id text, entity_id text,
    reason text, changed_keys text[] not null default '{}', happened_at timestamptz(3) not null,
    primary key (workspace_id, data_source_id, id)
  )`.execute(db);
  await sql`create index source_activity_skip on source_activity (workspace_id, sync_run_id, id)
    where kind = 'RECORD_SKIPPED' and sync_run_id is not null`.execute(db);
  await isolateByWorkspace(db, 'source_activity');
}
