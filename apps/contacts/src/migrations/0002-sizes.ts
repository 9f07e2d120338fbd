import { type Kysely, sql } from 'kysely';

/** Sizes of what a run reads, for its progress; the whole address of a company instead of its first label. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sync_run add column sizes jsonb not null default '{}'`.execute(db);
  await sql`alter table data_source rename column company_domain to company_url`.execute(db);
  // row-level security hides the rows from an update, not from a change of the column
  await sql`alter table data_source alter column company_url type text
    using 'https://' || company_url || '.pipedrive.com'`.execute(db);
}
