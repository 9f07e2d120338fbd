import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table data_key (
    workspace_id text not null, id text not null,
    purpose text not null check (purpose in ('ROOT', 'DATA')),
    wrapped text not null, master_key_id text not null,
    active_at timestamptz not null, swept_at timestamptz, created_at timestamptz not null,
    primary key (workspace_id, id)
  )`.execute(db);
  await sql`create unique index data_key_root on data_key (purpose) where purpose = 'ROOT'`.execute(
    db,
  );
  await sql`create unique index data_key_id on data_key (id)`.execute(db);
  await sql`create index data_key_age on data_key (created_at)`.execute(db);
  await sql`create index data_key_master on data_key (master_key_id)`.execute(db);
  await isolateByWorkspace(db, 'data_key');
}
