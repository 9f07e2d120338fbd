import { type Kysely, sql } from 'kysely';

/** Of which connections a change was told: one event stands for all of them that lead to the company. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table webhook_receipt add column told_for text[] not null default '{}'`.execute(
    db,
  );
  await sql`drop index webhook_receipt_record`.execute(db);
  await sql`create index webhook_receipt_record
    on webhook_receipt (workspace_id, object, pipedrive_id, revision)
    where state = 'understood'`.execute(db);
}
