import { type Kysely, sql } from 'kysely';

/** Leads are known by UUIDs: ids are text, in an order of bytes that no locale changes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const columns = {
    known_record: ['pipedrive_id'],
    indexed_key: ['pipedrive_id'],
    completeness_gap: ['pipedrive_id'],
    completeness_certificate: [
      ...['last_id', 'judged_id', 'first_missing_id', 'first_stale_id', 'first_extra_id'],
    ],
  };
  await sql`alter table completeness_certificate alter column judged_id drop default`.execute(db);
  for (const [table, names] of Object.entries(columns)) {
    const changes = names.map((name) => sql`alter column ${sql.ref(name)} type text collate "C"`);
    await sql`alter table ${sql.table(table)} ${sql.join(changes)}`.execute(db);
  }
  await sql`alter table completeness_certificate alter column judged_id set default '0'`.execute(
    db,
  );
  // shorter first is the order of numbers, and all UUIDs are of one length
  await sql`create index known_record_order
    on known_record (workspace_id, company_id, object, length(pipedrive_id), pipedrive_id)`.execute(
    db,
  );
  await sql`create index completeness_gap_order
    on completeness_gap (workspace_id, certificate_id, length(pipedrive_id), pipedrive_id)`.execute(
    db,
  );
}
