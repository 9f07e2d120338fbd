import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { type Selectable, sql } from 'kysely';
import { z } from 'zod';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import type { Reservations } from './reservations/rules.ts';
import type { BudgetTables } from './tables.ts';
import type { Slots } from './windows/rules.ts';

export type ApiDay = Omit<Selectable<BudgetTables['api_day']>, 'reservations'> & {
  reserved: Reservations;
};
export type ApiWindow = Omit<
  Selectable<BudgetTables['api_window']>,
  'burst_slots' | 'search_slots'
> & { burst: Slots; search: Slots };

const pairs = z.array(z.tuple([z.number(), z.number()]));

const readWindow = (row: Selectable<BudgetTables['api_window']>): ApiWindow => {
  const { burst_slots, search_slots, ...rest } = row;
  return {
    ...rest,
    burst: pairs.parse(JSON.parse(burst_slots)),
    search: pairs.parse(JSON.parse(search_slots)),
  };
};

export const readDay = ({
  reservations,
  ...rest
}: Selectable<BudgetTables['api_day']>): ApiDay => ({
  ...rest,
  reserved: pairs.parse(JSON.parse(reservations)),
});

/** One at a time admits or enters calls of a company, whatever the replica or workspace. */
export async function lockCompany(tx: Db, companyId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`budget|${companyId}`}, 0))`.execute(
    tx,
  );
}

/** The windows of these credentials that are known. */
export async function listWindows(tx: Db, credentials: readonly string[]): Promise<ApiWindow[]> {
  if (credentials.length === 0) return [];
  const rows = await tx
    .selectFrom('api_window')
    .selectAll()
    .where('credential', 'in', credentials)
    .execute();
  return rows.map(readWindow);
}

/** The windows of the credential a connection of the workspace uses. */
export async function findWindow(
  tx: Db,
  connectionId: ConnectionId,
): Promise<ApiWindow | undefined> {
  const row = await tx
    .selectFrom('api_window')
    .selectAll('api_window')
    .innerJoin('connection', (join) =>
      join
        .on('connection.id', '=', connectionId)
        .on(sql`connection.workspace_id`, '=', sql`current_setting('manifold.workspace')`)
        .on(
          'api_window.credential',
          '=',
          sql<string>`coalesce(connection.grant_id,
          'user:' || connection.company_id || ':' || connection.pipedrive_user_id)`,
        ),
    )
    .executeTakeFirst();
  return row && readWindow(row);
}

/** Keeps windows as they are given; only across workspaces. */
export async function setWindows(tx: Db, windows: readonly ApiWindow[]): Promise<void> {
  if (windows.length === 0) return;
  const rows = windows.map(({ burst, search, ...rest }) => ({
    ...rest,
    burst_slots: JSON.stringify(burst),
    search_slots: JSON.stringify(search),
  }));
  await tx
    .insertInto('api_window')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('credential').doUpdateSet((row) => ({
        burst_limit: row.ref('excluded.burst_limit'),
        burst_slots: row.ref('excluded.burst_slots'),
        search_slots: row.ref('excluded.search_slots'),
        paused_until: row.ref('excluded.paused_until'),
        pause_reason: row.ref('excluded.pause_reason'),
        blocks: row.ref('excluded.blocks'),
        probe_until: row.ref('excluded.probe_until'),
      })),
    )
    .execute();
}

/** A company's day as each workspace in sight has it. */
export async function listDays(tx: Db, companyId: string, day: string): Promise<ApiDay[]> {
  const rows = await tx
    .selectFrom('api_day')
    .selectAll()
    .where('company_id', '=', companyId)
    .where('day', '=', day)
    .orderBy('workspace_id')
    .execute();
  return rows.map(readDay);
}

/** A company's day as the workspace has it. */
export async function findDay(tx: Db, companyId: string, day: string): Promise<ApiDay | undefined> {
  const row = await tx
    .selectFrom('api_day')
    .selectAll()
    .where(ofThisWorkspace)
    .where('company_id', '=', companyId)
    .where('day', '=', day)
    .executeTakeFirst();
  return row && readDay(row);
}

/** Keeps a day as it is given, for each workspace named. */
export async function setDays(tx: Db, days: readonly ApiDay[]): Promise<void> {
  if (days.length === 0) return;
  await tx
    .insertInto('api_day')
    .values(
      days.map(({ reserved, ...day }) => ({ ...day, reservations: JSON.stringify(reserved) })),
    )
    .onConflict((conflict) =>
      conflict.columns(['workspace_id', 'company_id', 'day']).doUpdateSet((row) => ({
        spent_tokens: row.ref('excluded.spent_tokens'),
        reservations: row.ref('excluded.reservations'),
        company_spent_tokens: row.ref('excluded.company_spent_tokens'),
        learned_limit: row.ref('excluded.learned_limit'),
        learned_remaining: row.ref('excluded.learned_remaining'),
        paused_until: row.ref('excluded.paused_until'),
        probe_at: row.ref('excluded.probe_at'),
        stopped_lanes: row.ref('excluded.stopped_lanes'),
        told_percent: row.ref('excluded.told_percent'),
      })),
    )
    .execute();
}

export type CompanyUser = Pick<
  Connection,
  'workspace_id' | 'id' | 'company_id' | 'pipedrive_user_id' | 'grant_id'
>;

/** Connections to a company in sight, those of whole workspaces first. */
export async function listCompanyUsers(tx: Db, companyId: string): Promise<CompanyUser[]> {
  return tx
    .selectFrom('connection')
    .select(['workspace_id', 'id', 'company_id', 'pipedrive_user_id', 'grant_id'])
    .where('company_id', '=', companyId)
    .orderBy('kind')
    .orderBy('id')
    .limit(1_000)
    .execute();
}

/** A day of which nothing is known. */
export const newDay = (of: {
  workspaceId: WorkspaceId;
  companyId: string;
  day: string;
}): ApiDay => ({
  workspace_id: of.workspaceId,
  company_id: of.companyId,
  day: of.day,
  spent_tokens: 0,
  reserved: [],
  company_spent_tokens: 0,
  learned_limit: null,
  learned_remaining: null,
  paused_until: null,
  probe_at: null,
  stopped_lanes: [],
  told_percent: 0,
});
