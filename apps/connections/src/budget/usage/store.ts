import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { type Insertable, sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { BudgetTables } from '../tables.ts';

export async function insertCall(
  tx: Db,
  call: Insertable<BudgetTables['api_call']>,
): Promise<void> {
  await tx.insertInto('api_call').values(call).execute();
}

export async function addUsage(
  tx: Db,
  usage: Omit<Insertable<BudgetTables['api_usage']>, 'calls'>,
): Promise<void> {
  await tx
    .insertInto('api_usage')
    .values({ ...usage, calls: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'connection_id', 'day', 'operation', 'feature'])
        .doUpdateSet({
          calls: sql`api_usage.calls + 1`,
          tokens: sql`api_usage.tokens + ${usage.tokens}`,
        }),
    )
    .execute();
}

export interface Usage {
  key: string;
  calls: number;
  tokens: number;
}

/** What a connection spent from a day on, by one column. */
export async function listUsage(
  tx: Db,
  connectionId: ConnectionId,
  by: { column: 'operation' | 'day' | 'feature'; since: string },
): Promise<Usage[]> {
  return tx
    .selectFrom('api_usage')
    .select((row) => [
      row.ref(by.column).as('key'),
      sql<number>`sum(calls)::int`.as('calls'),
      sql<number>`sum(tokens)::int`.as('tokens'),
    ])
    .where(ofThisWorkspace)
    .where('connection_id', '=', connectionId)
    .where('day', '>=', by.since)
    .groupBy(by.column)
    .orderBy(by.column === 'day' ? 'key' : 'tokens', 'desc')
    .orderBy('key')
    .execute();
}

/** Removes single calls of before a time, a bounded number at once; totals stay. Returns how many. */
export async function removeCalls(
  tx: Db,
  workspaceId: WorkspaceId,
  of: { before: Date; limit: number },
): Promise<number> {
  const { numAffectedRows } = await sql`delete from api_call where (workspace_id, id) in (
    select workspace_id, id from api_call
    where workspace_id = ${workspaceId} and at < ${of.before} limit ${of.limit})`.execute(tx);
  return Number(numAffectedRows ?? 0);
}
