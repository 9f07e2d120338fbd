import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table display_config (
    workspace_id text not null, user_id text not null,
    object text not null check (object in ('CONTACT', 'ACCOUNT')),
    fields jsonb not null, updated_at timestamptz not null,
    primary key (workspace_id, user_id, object)
  )`.execute(db);
  await isolateByWorkspace(db, 'display_config');
}
