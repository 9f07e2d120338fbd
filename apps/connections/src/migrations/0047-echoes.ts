import { type Kysely, sql } from 'kysely';

/** Steps whose webhook came before their answer, looked for with every delivery. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index write_step_echo on write_step (workspace_id, company_id, echo_pipedrive_id)
    where echo_pipedrive_id is not null`.execute(db);
}
