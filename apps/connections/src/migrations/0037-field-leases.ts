import { type Kysely, sql } from 'kysely';

/** Who holds a lease, when a catalogue was asked for, and when sealing anew was tried last. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table field_catalogue add column asked_at timestamptz`.execute(db);
  await sql`select set_config('manifold.workspace', '*', true)`.execute(db);
  await sql`update field_catalogue set asked_at = read_at`.execute(db);
  await sql`select set_config('manifold.workspace', '', true)`.execute(db);
  await sql`alter table field_catalogue alter column asked_at set not null`.execute(db);
  await sql`alter table field_creation add column lease_owner text`.execute(db);
  await sql`alter table external_id_field add column lease_owner text`.execute(db);
  await sql`alter table data_key add column tried_at timestamptz`.execute(db);
}
