import { type Kysely, sql } from 'kysely';

/** Where a judgement goes on, what a comparison was made with, and why one was given up. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table completeness_certificate
    add column sight text, add column restarts int not null default 0,
    add column judged_id bigint not null default 0, add column has_more boolean not null default false,
    add column reason text, add column cause text`.execute(db);
  await sql`alter table completeness_certificate
    drop constraint completeness_certificate_state_check`.execute(db);
  await sql`alter table completeness_certificate add constraint completeness_certificate_state_check
    check (state in ('CHECKING', 'BASELINE', 'CLEAN', 'GAPS', 'REPAIRING', 'REPAIRED', 'CANCELLED',
      'FAILED'))`.execute(db);
}
