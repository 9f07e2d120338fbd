import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table completeness_certificate (
    workspace_id text not null, id text not null, connection_id text not null,
    company_id text not null, object text not null,
    state text not null check (state in ('CHECKING', 'BASELINE', 'CLEAN', 'GAPS', 'REPAIRING',
      'REPAIRED', 'CANCELLED')),
    is_baseline boolean not null, repairs boolean not null, keys text[] not null,
    cursor text, last_id bigint not null, is_read boolean not null, judge_at timestamptz,
    pipedrive_count int not null, pipedrive_hash text not null,
    known_count int, known_hash text,
    missing int not null, stale int not null, extra int not null, hidden int not null,
    repaired int not null,
    first_missing_id bigint, first_stale_id bigint, first_extra_id bigint,
    cost_tokens int not null, actor_kind text not null, actor_id text not null,
    correlation_id text not null, started_at timestamptz not null, taken_at timestamptz,
    finished_at timestamptz, primary key (workspace_id, id)
  )`.execute(db);
  await sql`create index completeness_certificate_object
    on completeness_certificate (workspace_id, company_id, object, id)`.execute(db);
  // one at a time for an object
  await sql`create unique index completeness_certificate_open
    on completeness_certificate (workspace_id, company_id, object)
    where state in ('CHECKING', 'REPAIRING')`.execute(db);
  await sql`create table completeness_gap (
    workspace_id text not null, certificate_id text not null, pipedrive_id bigint not null,
    kind text not null check (kind in ('missing', 'stale', 'extra')),
    pipedrive_time timestamptz, known_time timestamptz,
    primary key (workspace_id, certificate_id, pipedrive_id)
  )`.execute(db);
  for (const table of ['completeness_certificate', 'completeness_gap']) {
    await isolateByWorkspace(db, table);
  }
}
