import type { AccountId, ContactId, WorkspaceId } from '@manifold/contracts';
import type { PageRequest } from '@manifold/subgraph';
import { type RawBuilder, sql } from 'kysely';
import type { Account, Contact, Db, RecordLink } from '../store.ts';
import type { EntityFilter, Order, OrderField, VariableCondition } from './rules.ts';

export interface EntityQuery {
  filter: EntityFilter;
  order: Order;
  page: PageRequest;
}

export async function listContactPage(
  tx: Db,
  workspaceId: WorkspaceId,
  query: EntityQuery,
): Promise<Contact[]> {
  const { rows } = await sql<Contact>`${pageOf('contact', workspaceId, query)}`.execute(tx);
  return rows;
}

export async function listAccountPage(
  tx: Db,
  workspaceId: WorkspaceId,
  query: EntityQuery,
): Promise<Account[]> {
  const { rows } = await sql<Account>`${pageOf('account', workspaceId, query)}`.execute(tx);
  return rows;
}

export async function countContacts(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: EntityFilter,
): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*) from contact entity
    where entity.workspace_id = ${workspaceId} and ${conditionOf(workspaceId, filter)}`.execute(tx);
  return Number(rows[0]?.count ?? 0);
}

export async function countAccounts(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: EntityFilter,
): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*) from account entity
    where entity.workspace_id = ${workspaceId} and ${conditionOf(workspaceId, filter)}`.execute(tx);
  return Number(rows[0]?.count ?? 0);
}

export async function listContactsByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly ContactId[],
): Promise<Contact[]> {
  return tx
    .selectFrom('contact')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', [...ids])
    .execute();
}

export async function listAccountsByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly AccountId[],
): Promise<Account[]> {
  return tx
    .selectFrom('account')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', [...ids])
    .execute();
}

/** The record each contact or account is shown with: the live one of its oldest source. */
export async function listMainLinks(
  tx: Db,
  workspaceId: WorkspaceId,
  entityIds: readonly string[],
): Promise<RecordLink[]> {
  const { rows } = await sql<RecordLink>`select distinct on (entity_id) * from record_link
    where workspace_id = ${workspaceId} and entity_id = any(${[...entityIds]}::text[])
      and deleted_at is null
    order by entity_id, data_source_id`.execute(tx);
  return rows;
}

type Condition = RawBuilder<unknown>;

const COLUMNS: Record<OrderField, string> = {
  NAME: 'name_sort',
  EMAIL: 'email',
  CREATED_AT: 'created_at',
  UPDATED_AT: 'updated_at',
};

/**
 * By keyset: the index of the order leads straight to the first row of the page. Ids first, so that
 * a condition on what stands in that index is answered by it alone.
 */
function pageOf(
  table: 'contact' | 'account',
  workspaceId: WorkspaceId,
  { filter, order, page }: EntityQuery,
): Condition {
  const column = sql.ref(`entity.${COLUMNS[order.field]}`);
  const ascending = (order.direction === 'ASC') !== page.backwards;
  const direction = ascending ? sql`asc` : sql`desc`;
  const [value, id] = page.cursor ?? [];
  const isTime = order.field === 'CREATED_AT' || order.field === 'UPDATED_AT';
  const from = isTime ? sql`${value}::timestamptz` : sql`${value}::text`;
  const beyond = ascending ? sql`>` : sql`<`;
  const after =
    value === undefined ? sql`true` : sql`(${column}, entity.id) ${beyond} (${from}, ${id}::text)`;
  return sql`select entity.* from ${sql.table(table)} entity
    where entity.workspace_id = ${workspaceId} and entity.id in (
      select entity.id from ${sql.table(table)} entity
      where entity.workspace_id = ${workspaceId} and ${after} and ${conditionOf(workspaceId, filter)}
      order by ${column} ${direction}, entity.id ${direction} limit ${page.limit})
    order by ${column} ${direction}, entity.id ${direction}`;
}

function conditionOf(workspaceId: WorkspaceId, filter: EntityFilter): Condition {
  const { email, emailContains, nameContains, accountId, dataSourceId } = filter;
  const all: Condition[] = [];
  if (email !== undefined) all.push(sql`entity.email = ${email.toLowerCase()}`);
  if (emailContains !== undefined) all.push(sql`entity.email like ${containing(emailContains)}`);
  if (nameContains !== undefined) all.push(sql`entity.name_sort like ${containing(nameContains)}`);
  if (accountId !== undefined) all.push(sql`entity.account_id = ${accountId}`);
  if (dataSourceId !== undefined) {
    all.push(sql`exists (select from record_link link where link.workspace_id = ${workspaceId}
      and link.entity_id = entity.id and link.data_source_id = ${dataSourceId}
      and link.deleted_at is null)`);
  }
  if (filter.updatedAfter) all.push(sql`entity.updated_at > ${filter.updatedAfter}`);
  if (filter.updatedBefore) all.push(sql`entity.updated_at < ${filter.updatedBefore}`);
  if (filter.subscription) {
    const { channel, permission } = filter.subscription;
    all.push(sql`entity.subscriptions -> ${channel}::text ->> 'permission' = ${permission}`);
  }
  if (filter.variable) all.push(...variableConditions(filter.variable));
  const inner = (filters: readonly EntityFilter[]) =>
    filters.map((one) => conditionOf(workspaceId, one));
  if (filter.and) all.push(...inner(filter.and));
  if (filter.or) all.push(sql`(${sql.join(inner(filter.or), sql` or `)})`);
  // a condition on something absent is neither true nor false; not of it holds
  if (filter.not) all.push(sql`(${conditionOf(workspaceId, filter.not)}) is not true`);
  return all.length === 0 ? sql`true` : sql`(${sql.join(all, sql` and `)})`;
}

const containing = (text: string): string =>
  `%${text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;

function variableConditions(condition: VariableCondition): Condition[] {
  const value = sql`(entity."values" -> ${condition.key}::text)`;
  const text = sql`(entity."values" ->> ${condition.key}::text)`;
  const number = sql`(case jsonb_typeof(${value}) when 'number' then ${value}::numeric
    when 'object' then (${value} ->> 'amount')::numeric end)`;
  const { equals, equalsNumber, equalsBoolean, contains, includes, isSet } = condition;
  const all: Condition[] = [];
  if (equals !== undefined) all.push(sql`${text} = ${equals}`);
  if (equalsNumber !== undefined) all.push(sql`${number} = ${equalsNumber}::numeric`);
  if (equalsBoolean !== undefined) all.push(sql`${value} = to_jsonb(${equalsBoolean}::boolean)`);
  if (contains !== undefined) all.push(sql`lower(${text}) like ${containing(contains)}`);
  if (includes !== undefined) all.push(sql`jsonb_exists(${value}, ${includes})`);
  if (condition.greaterThan !== undefined)
    all.push(sql`${number} > ${condition.greaterThan}::numeric`);
  if (condition.lessThan !== undefined) all.push(sql`${number} < ${condition.lessThan}::numeric`);
  if (condition.after !== undefined) all.push(sql`${text} > ${condition.after}`);
  if (condition.before !== undefined) all.push(sql`${text} < ${condition.before}`);
  const filled = sql`coalesce(${value}, 'null') not in ('null', '""', '[]')`;
  if (isSet !== undefined) all.push(isSet ? filled : sql`not (${filled})`);
  return all;
}
