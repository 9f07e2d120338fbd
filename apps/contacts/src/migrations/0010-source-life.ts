import { type Kysely, sql } from 'kysely';

/** A source begins as a draft without its parts, and can be disconnected, archived and deleted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table data_source
    alter column connection_id drop not null, alter column company_url drop not null,
    alter column mapping_id drop not null, alter column mapping_version drop not null,
    add column step text not null default 'DONE',
    add column retention_days int not null default 90,
    add column require_identifier boolean not null default false,
    drop constraint data_source_state_check`.execute(db);
  await sql`alter table data_source
    add constraint data_source_state check
      (state in ('DRAFT', 'ACTIVE', 'DISCONNECTED', 'ARCHIVED', 'DELETED')),
    add constraint data_source_parts check (state in ('DRAFT', 'DELETED') or (connection_id is not null
      and company_url is not null and mapping_id is not null and mapping_version is not null))`.execute(
    db,
  );
}
