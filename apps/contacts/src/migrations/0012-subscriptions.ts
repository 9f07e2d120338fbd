import { type Kysely, sql } from 'kysely';

/** Which source made a contact, and on which channels the person may be written to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table contact add column added_by text,
    add column subscriptions jsonb not null default '{}'`.execute(db);
  await sql`select set_config('manifold.workspace', '*', true)`.execute(db);
  await sql`update contact set added_by = (select link.data_source_id from record_link link
    where link.workspace_id = contact.workspace_id and link.entity_id = contact.id
      and link.deleted_at is null
    order by link.data_source_id limit 1)`.execute(db);
  await sql`select set_config('manifold.workspace', '', true)`.execute(db);
  await sql`create index contact_added on contact (workspace_id, added_by, created_at)`.execute(db);
}
