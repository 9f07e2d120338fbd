import type { WorkspaceId } from '@manifold/contracts';
import { countRows, ofThisWorkspace, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { type ExpressionBuilder, type Insertable, type Selectable, sql } from 'kysely';
import type { Db, Tables } from '../../store.ts';
import type { BudgetTables, Lane } from '../tables.ts';

export type ApiCall = Selectable<BudgetTables['api_call']>;

export async function insertCalls(
  tx: Db,
  calls: readonly Insertable<BudgetTables['api_call']>[],
): Promise<void> {
  if (calls.length > 0) await tx.insertInto('api_call').values(calls).execute();
}

/** Adds to the totals; no two of them may be of the same group. */
export async function addUsage(
  tx: Db,
  usage: readonly Insertable<BudgetTables['api_usage']>[],
): Promise<void> {
  if (usage.length === 0) return;
  await tx
    .insertInto('api_usage')
    .values(usage)
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'connection_id', 'day', 'operation', 'feature', 'change_set_id'])
        .doUpdateSet({
          calls: sql`api_usage.calls + excluded.calls`,
          tokens: sql`api_usage.tokens + excluded.tokens`,
        }),
    )
    .execute();
}

export interface Usage {
  key: string;
  calls: number;
  tokens: number;
}

export const usageColumns = [
  'operation',
  'day',
  'feature',
  'change_set_id',
  'connection_id',
] as const;
export type UsageColumn = (typeof usageColumns)[number];

export interface UsageFilter {
  connectionIds?: readonly string[] | undefined;
  companyId?: string | undefined;
  changeSetIds?: readonly string[] | undefined;
  features?: readonly string[] | undefined;
  /** Days, both included. */
  since: string;
  until?: string | undefined;
}

const ofUsage = (filter: UsageFilter) => (where: ExpressionBuilder<Tables, 'api_usage'>) =>
  where.and([
    ofThisWorkspace,
    where('day', '>=', filter.since),
    ...(filter.until ? [where('day', '<=', filter.until)] : []),
    ...(filter.companyId ? [where('company_id', '=', filter.companyId)] : []),
    ...(filter.connectionIds
      ? [where(sql<string>`connection_id`, 'in', filter.connectionIds)]
      : []),
    ...(filter.changeSetIds ? [where('change_set_id', 'in', filter.changeSetIds)] : []),
    ...(filter.features ? [where('feature', 'in', filter.features)] : []),
  ]);

const groupsOf = (tx: Db, { filter, by }: { filter: UsageFilter; by: UsageColumn }) =>
  tx
    .selectFrom('api_usage')
    .select((row) => [
      row.ref(by).$castTo<string>().as('key'),
      sql<number>`sum(calls)::int`.as('calls'),
      sql<number>`sum(tokens)::int`.as('tokens'),
    ])
    .where(ofUsage(filter))
    .$if(by === 'change_set_id', (query) => query.where('change_set_id', '<>', ''))
    .groupBy(by);

/** The groups of a workspace's usage by one column, largest first, days newest first. */
export async function listUsage(
  tx: Db,
  of: { filter: UsageFilter; by: UsageColumn },
  page: PageRequest,
): Promise<Usage[]> {
  const { by } = of;
  const query = tx.selectFrom(groupsOf(tx, of).as('used')).selectAll();
  const order = by === 'day' ? ['key'] : ['tokens', 'key'];
  return pageByKeyset(query, { by: order, descending: true, page }).execute();
}

export async function countUsage(
  tx: Db,
  of: { filter: UsageFilter; by: UsageColumn },
): Promise<number> {
  return countRows(tx.selectFrom(groupsOf(tx, of).as('used')));
}

export interface CallFilter {
  connectionIds?: readonly string[] | undefined;
  operations?: readonly string[] | undefined;
  features?: readonly string[] | undefined;
  lanes?: readonly Lane[] | undefined;
  outcomes?: readonly string[] | undefined;
  changeSetId?: string | undefined;
  after?: Date | undefined;
  before?: Date | undefined;
}

const ofCalls = (filter: CallFilter) => (where: ExpressionBuilder<Tables, 'api_call'>) =>
  where.and([
    ofThisWorkspace,
    ...(filter.connectionIds
      ? [where(sql<string>`connection_id`, 'in', filter.connectionIds)]
      : []),
    ...(filter.operations ? [where('operation', 'in', filter.operations)] : []),
    ...(filter.features ? [where('feature', 'in', filter.features)] : []),
    ...(filter.lanes ? [where('lane', 'in', filter.lanes)] : []),
    ...(filter.outcomes ? [where('outcome', 'in', filter.outcomes)] : []),
    ...(filter.changeSetId ? [where(sql<string>`change_set_id`, '=', filter.changeSetId)] : []),
    ...(filter.after ? [where('at', '>=', filter.after)] : []),
    ...(filter.before ? [where('at', '<', filter.before)] : []),
  ]);

export async function listCalls(
  tx: Db,
  filter: CallFilter,
  { newestFirst, ...page }: PageRequest & { newestFirst: boolean },
): Promise<ApiCall[]> {
  const query = tx.selectFrom('api_call').selectAll().where(ofCalls(filter));
  return pageByKeyset(query, { by: ['id'], descending: newestFirst, page }).execute();
}

export async function countCalls(tx: Db, filter: CallFilter): Promise<number> {
  return countRows(tx.selectFrom('api_call').where(ofCalls(filter)));
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
