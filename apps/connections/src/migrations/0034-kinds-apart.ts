import { type Kysely, sql } from 'kysely';

/** One user of Pipedrive may be connected for the whole workspace, and by each of its people for themselves. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table connection
    drop constraint connection_workspace_id_company_id_pipedrive_user_id_key,
    add column disabled_by text`.execute(db);
  await sql`create unique index connection_of_user on connection
    (workspace_id, company_id, pipedrive_user_id, (case kind when 'PERSONAL' then user_id else '' end))`.execute(
    db,
  );
}
