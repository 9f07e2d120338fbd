import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

/** What an administrator switched off stays so when its owner removes it and connects again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table switched_off (
    workspace_id text not null, company_id text not null, pipedrive_user_id text not null,
    user_id text not null, disabled_by text, removed_at timestamptz not null,
    primary key (workspace_id, company_id, pipedrive_user_id, user_id)
  )`.execute(db);
  await isolateByWorkspace(db, 'switched_off');
}
