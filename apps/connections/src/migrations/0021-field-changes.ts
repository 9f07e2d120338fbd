import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

/** What a reading of a field catalogue found to differ from the one before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create sequence field_change_number`.execute(db);
  await sql`create table field_change (
    workspace_id text not null, connection_id text not null,
    number bigint not null,
    object text not null, revision int not null,
    kind text not null check (kind in ('added', 'renamed', 'retyped', 'option_added',
      'option_renamed', 'option_removed', 'removed')),
    field_code text not null, field_name text not null, option_id text,
    before text, after text, found_at timestamptz not null,
    primary key (workspace_id, connection_id, number),
    foreign key (workspace_id, connection_id) references connection (workspace_id, id)
      on delete cascade
  )`.execute(db);
  await sql`create index field_change_age
    on field_change (workspace_id, connection_id, found_at)`.execute(db);
  await isolateByWorkspace(db, 'field_change');
}
