import { isolateByWorkspace } from '@manifold/database';
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table api_call (
    workspace_id text not null, id text not null, company_id text not null,
    connection_id text not null, operation text not null, tokens int not null, status int,
    outcome text not null, lane text not null, feature text not null, at timestamptz not null,
    primary key (workspace_id, id)
  )`.execute(db);
  await sql`create index api_call_at on api_call (workspace_id, connection_id, at)`.execute(db);
  await sql`create index api_call_age on api_call (workspace_id, at)`.execute(db);
  await sql`create table api_usage (
    workspace_id text not null, connection_id text not null, day text not null,
    operation text not null, feature text not null, company_id text not null,
    calls int not null, tokens int not null,
    primary key (workspace_id, connection_id, day, operation, feature)
  )`.execute(db);
  await sql`create table api_day (
    workspace_id text not null, company_id text not null, day text not null,
    spent_tokens int not null, reserved_tokens int not null, learned_limit int, learned_remaining int, paused_until timestamptz,
    primary key (workspace_id, company_id, day)
  )`.execute(db);
  await sql`create index api_day_company on api_day (company_id, day)`.execute(db);
  await sql`create table api_window (
    workspace_id text not null, connection_id text not null, company_id text not null,
    burst_limit int, burst_slots text not null, search_slots text not null,
    paused_until timestamptz, pause_reason text,
    primary key (workspace_id, connection_id)
  )`.execute(db);
  for (const table of ['api_call', 'api_usage', 'api_day', 'api_window']) {
    await isolateByWorkspace(db, table);
  }
}
