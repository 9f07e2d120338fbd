import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table record_registry (
    workspace_id text not null, company_id text not null, object text not null,
    connection_id text not null, wanted_keys text[] not null, keys text[] not null,
    certified_until timestamptz, read_began_at timestamptz, read_cursor text,
    partial_began_at timestamptz, reader text, reading_until timestamptz,
    swept_until timestamptz, sweep_cursor text, sweep_began_at timestamptz,
    sweep_at timestamptz not null, verify_at timestamptz not null, due_at timestamptz not null,
    failures int not null, created_at timestamptz not null,
    primary key (workspace_id, company_id, object)
  )`.execute(db);
  await sql`create index record_registry_due on record_registry (due_at)`.execute(db);
  await sql`create table registry_need (
    workspace_id text not null, company_id text not null, object text not null,
    connection_id text not null, feature text not null, keys text[] not null,
    created_at timestamptz not null,
    primary key (workspace_id, company_id, object, connection_id, feature)
  )`.execute(db);
  await sql`create table known_record (
    workspace_id text not null, company_id text not null, object text not null,
    pipedrive_id bigint not null, update_time timestamptz, revision bigint,
    deleted boolean not null, indexed_time timestamptz,
    primary key (workspace_id, company_id, object, pipedrive_id)
  )`.execute(db);
  await sql`create table indexed_key (
    workspace_id text not null, company_id text not null, object text not null,
    key_hash text not null, pipedrive_id bigint not null,
    primary key (workspace_id, company_id, object, key_hash, pipedrive_id)
  )`.execute(db);
  await sql`create index indexed_key_record
    on indexed_key (workspace_id, company_id, object, pipedrive_id)`.execute(db);
  for (const table of ['record_registry', 'registry_need', 'known_record', 'indexed_key']) {
    await isolateByWorkspace(db, table);
  }
}
