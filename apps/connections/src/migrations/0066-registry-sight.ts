import { type Kysely, sql } from 'kysely';

/** What an index was built with, that it is being emptied, and why it is not kept current. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table record_registry
    add column sight text, add column releasing boolean not null default false,
    add column reason text, add column cause text`.execute(db);
  await sql`alter table known_record
    add column hidden boolean not null default false`.execute(db);
  await sql`select set_config('manifold.workspace', '*', true)`.execute(db);
  await sql`update record_registry registry
    set sight = case when connection.is_admin then 'all' else connection.id end
    from connection where connection.workspace_id = registry.workspace_id
      and connection.id = registry.connection_id and registry.swept_until is not null`.execute(db);
  await sql`select set_config('manifold.workspace', '', true)`.execute(db);
}
