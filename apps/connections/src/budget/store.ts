import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { Db } from '../store.ts';
import type { Slots } from './rules.ts';
import type { BudgetTables } from './tables.ts';

export type ApiDay = Selectable<BudgetTables['api_day']>;
export type ApiWindow = Omit<
  Selectable<BudgetTables['api_window']>,
  'burst_slots' | 'search_slots'
> & { burst: Slots; search: Slots };

const slots = z.array(z.tuple([z.number(), z.number()]));

const readWindow = (row: Selectable<BudgetTables['api_window']>): ApiWindow => {
  const { burst_slots, search_slots, ...rest } = row;
  return {
    ...rest,
    burst: slots.parse(JSON.parse(burst_slots)),
    search: slots.parse(JSON.parse(search_slots)),
  };
};

/** Holds the windows of a credential until the transaction ends, so replicas count as one. */
export async function lockWindow(
  tx: Db,
  credential: { workspaceId: WorkspaceId; connectionId: ConnectionId; companyId: string },
): Promise<ApiWindow> {
  const find = () =>
    tx
      .selectFrom('api_window')
      .selectAll()
      .where('workspace_id', '=', credential.workspaceId)
      .where('connection_id', '=', credential.connectionId)
      .forUpdate()
      .executeTakeFirst();
  const existing = await find();
  if (existing) return readWindow(existing);
  await tx
    .insertInto('api_window')
    .values({
      workspace_id: credential.workspaceId,
      connection_id: credential.connectionId,
      company_id: credential.companyId,
      burst_limit: null,
      burst_slots: '[]',
      search_slots: '[]',
      paused_until: null,
      pause_reason: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const made = await find();
  if (!made) throw new Error('The window of a credential cannot be read');
  return readWindow(made);
}

export async function findWindow(
  tx: Db,
  connectionId: ConnectionId,
): Promise<ApiWindow | undefined> {
  const row = await tx
    .selectFrom('api_window')
    .selectAll()
    .where(ofThisWorkspace)
    .where('connection_id', '=', connectionId)
    .executeTakeFirst();
  return row && readWindow(row);
}

/** Changes what is known of a credential's windows; what is not named stays. */
export async function setWindow(
  tx: Db,
  credential: { workspaceId: WorkspaceId; connectionId: ConnectionId },
  change: Partial<
    Pick<ApiWindow, 'burst' | 'search' | 'burst_limit' | 'paused_until' | 'pause_reason'>
  >,
): Promise<void> {
  const { burst, search, ...known } = change;
  await tx
    .updateTable('api_window')
    .set({
      ...known,
      ...(burst === undefined ? {} : { burst_slots: JSON.stringify(burst) }),
      ...(search === undefined ? {} : { search_slots: JSON.stringify(search) }),
    })
    .where('workspace_id', '=', credential.workspaceId)
    .where('connection_id', '=', credential.connectionId)
    .execute();
}

/** A company's day as each workspace in sight knows it. */
export async function listDays(tx: Db, companyId: string, day: string): Promise<ApiDay[]> {
  return tx
    .selectFrom('api_day')
    .selectAll()
    .where('company_id', '=', companyId)
    .where('day', '=', day)
    .execute();
}

/** Makes the row of a company's day when there is none, and holds it. */
export async function lockDay(
  tx: Db,
  of: { workspaceId: WorkspaceId; companyId: string; day: string },
): Promise<ApiDay> {
  await tx
    .insertInto('api_day')
    .values({
      workspace_id: of.workspaceId,
      company_id: of.companyId,
      day: of.day,
      spent_tokens: 0,
      reserved_tokens: 0,
      learned_limit: null,
      learned_remaining: null,
      paused_until: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return tx
    .selectFrom('api_day')
    .selectAll()
    .where('workspace_id', '=', of.workspaceId)
    .where('company_id', '=', of.companyId)
    .where('day', '=', of.day)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

/** Changes what is known of a day; what is not named stays. */
export async function setDay(
  tx: Db,
  of: Pick<ApiDay, 'workspace_id' | 'company_id' | 'day'>,
  known: Partial<Omit<ApiDay, 'workspace_id' | 'company_id' | 'day'>>,
): Promise<void> {
  await tx
    .updateTable('api_day')
    .set(known)
    .where('workspace_id', '=', of.workspace_id)
    .where('company_id', '=', of.company_id)
    .where('day', '=', of.day)
    .execute();
}
