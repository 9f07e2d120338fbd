import { createIdempotency, isolateByWorkspace } from '@manifold/database';
import { createMessaging } from '@manifold/messaging';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createSources(db);
  await createEntities(db);
  const tables = ['data_source', 'mapping_copy', 'sync_run', 'contact', 'account', 'record_link'];
  for (const table of tables) await isolateByWorkspace(db, table);
  await createMessaging(db);
  await createIdempotency(db);
}

async function createSources(db: Kysely<unknown>): Promise<void> {
  await sql`create table data_source (
    workspace_id text not null, id text not null, name text not null,
    connection_id text not null, company_domain text not null,
    mapping_id text not null, mapping_version int not null,
    state text not null check (state in ('ACTIVE', 'ARCHIVED')),
    created_at timestamptz(3) not null, updated_at timestamptz(3) not null,
    primary key (workspace_id, id)
  )`.execute(db);
  await sql`create index data_source_connection on data_source (workspace_id, connection_id)`.execute(
    db,
  );
  await sql`create table mapping_copy (
    workspace_id text not null, mapping_id text not null, version int not null,
    hash text not null, source jsonb not null, fetched_at timestamptz(3) not null,
    primary key (workspace_id, mapping_id, version)
  )`.execute(db);
  await sql`create table sync_run (
    workspace_id text not null, id text not null, data_source_id text not null,
    kind text not null, state text not null check
      (state in ('QUEUED', 'RUNNING', 'WAITING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    mapping_version int not null, updated_since timestamptz(3),
    object text not null, cursor text, counts jsonb not null, done int not null, total int,
    samples jsonb not null, cost_tokens int not null, reason text, attempts int not null,
    not_before timestamptz(3) not null, lease_id text, lease_until timestamptz(3),
    actor jsonb not null, correlation_id text not null,
    created_at timestamptz(3) not null, started_at timestamptz(3), ended_at timestamptz(3),
    primary key (workspace_id, id)
  )`.execute(db);
  // one run of a source at a time, whatever the replicas do
  await sql`create unique index sync_run_active on sync_run (workspace_id, data_source_id)
    where state in ('QUEUED', 'RUNNING', 'WAITING')`.execute(db);
  await sql`create index sync_run_source on sync_run (workspace_id, data_source_id, id)`.execute(
    db,
  );
}

/**
 * Row-level security lets an index serve only leakproof operators: comparisons of text and time
 * are, `like` and `@>` are not. So what must be found fast is a column of its own.
 */
async function createEntities(db: Kysely<unknown>): Promise<void> {
  await sql`create table account (
    workspace_id text not null, id text not null,
    name text not null, name_sort text not null,
    "values" jsonb not null, origins jsonb not null,
    created_at timestamptz(3) not null, updated_at timestamptz(3) not null,
    primary key (workspace_id, id)
  )`.execute(db);
  await sql`create table contact (
    workspace_id text not null, id text not null,
    name text not null, name_sort text not null, email text not null, phone text not null,
    account_id text, "values" jsonb not null, origins jsonb not null,
    created_at timestamptz(3) not null, updated_at timestamptz(3) not null,
    primary key (workspace_id, id)
  )`.execute(db);
  for (const table of ['account', 'contact']) {
    for (const column of ['created_at', 'updated_at']) {
      await sql`create index ${sql.id(`${table}_${column}`)} on ${sql.id(table)}
        (workspace_id, ${sql.id(column)}, id)`.execute(db);
    }
  }
  await sql`create index account_name on account (workspace_id, name_sort, id)`.execute(db);
  // each with the other, so that what a name or an address contains is found without the rows
  await sql`create index contact_name on contact (workspace_id, name_sort, id) include (email)`.execute(
    db,
  );
  await sql`create index contact_email on contact (workspace_id, email, id) include (name_sort)`.execute(
    db,
  );
  await sql`create index contact_account on contact (workspace_id, account_id, id)
    where account_id is not null`.execute(db);
  await sql`create table record_link (
    workspace_id text not null, data_source_id text not null, connection_id text not null,
    object text not null, pipedrive_id text not null, entity_id text,
    update_time timestamptz(3), webhook_ms bigint, mapping_version int not null,
    awaited_organization text, deleted_at timestamptz(3),
    primary key (workspace_id, data_source_id, object, pipedrive_id)
  )`.execute(db);
  await sql`create index record_link_entity on record_link (workspace_id, entity_id)
    where entity_id is not null`.execute(db);
  // the same record through another data source of the same connection
  await sql`create index record_link_record on record_link
    (workspace_id, connection_id, object, pipedrive_id)`.execute(db);
  await sql`create index record_link_awaiting on record_link
    (workspace_id, data_source_id, awaited_organization) where awaited_organization is not null`.execute(
    db,
  );
}
