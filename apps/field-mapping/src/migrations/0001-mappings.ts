import { createIdempotency, isolateByWorkspace } from '@manifold/database';
import { createMessaging } from '@manifold/messaging';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createMessaging(db);
  await createIdempotency(db);
  await sql`create table field_mapping (
    workspace_id text not null, id text not null, name text not null, purpose text not null,
    connection_id text not null, state text not null, version int, rows jsonb not null,
    policy jsonb not null, created_at timestamptz not null, updated_at timestamptz not null,
    primary key (workspace_id, id)
  )`.execute(db);
  await sql`create index field_mapping_created on field_mapping (workspace_id, created_at, id)`.execute(
    db,
  );
  await sql`create index field_mapping_name on field_mapping (workspace_id, name, id)`.execute(db);
  await sql`create table mapping_version (
    workspace_id text not null, mapping_id text not null, version int not null, hash text not null,
    source jsonb not null, published_at timestamptz not null,
    primary key (workspace_id, mapping_id, version)
  )`.execute(db);
  await sql`create table field_catalogue (
    workspace_id text not null, connection_id text not null, object text not null,
    revision bigint not null, fields jsonb not null, read_at timestamptz not null,
    primary key (workspace_id, connection_id, object)
  )`.execute(db);
  for (const table of ['field_mapping', 'mapping_version', 'field_catalogue']) {
    await isolateByWorkspace(db, table);
  }
  await keepVersionsUnchanged(db);
}

/** A grant could be given back by hand; the trigger holds for every role. */
async function keepVersionsUnchanged(db: Kysely<unknown>): Promise<void> {
  await sql`create function refuse_version_change() returns trigger language plpgsql as $$
    begin raise exception 'a published version of a mapping never changes'; end $$`.execute(db);
  await sql`create trigger mapping_version_unchanged before update or delete on mapping_version
    for each row execute function refuse_version_change()`.execute(db);
}
