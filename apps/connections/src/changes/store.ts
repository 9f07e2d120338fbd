import type { ChangeSetId } from '@manifold/contracts';
import { countRows, ofThisWorkspace, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import {
  type ExpressionBuilder,
  type Insertable,
  type Selectable,
  sql,
  type Updateable,
} from 'kysely';
import type { Db, Tables } from '../store.ts';
import type { ChangeSetState, ChangeTables } from './tables.ts';

export type ChangeSet = Selectable<ChangeTables['change_set']>;
type Update = Updateable<ChangeTables['change_set']>;

/** Who works on a set, and since which lease. */
export type SetLease = Pick<ChangeSet, 'workspace_id' | 'id' | 'fence'>;

export async function insertChangeSet(
  tx: Db,
  set: Insertable<ChangeTables['change_set']>,
): Promise<void> {
  await tx.insertInto('change_set').values(set).execute();
}

export async function findChangeSet(tx: Db, id: ChangeSetId): Promise<ChangeSet | undefined> {
  return tx
    .selectFrom('change_set')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** Decisions about a set, and its worker's steps, are taken one at a time. */
export async function lockChangeSet(tx: Db, id: ChangeSetId): Promise<ChangeSet | undefined> {
  return tx
    .selectFrom('change_set')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

/** Changes a set by decision, and takes it from the worker that is at it. */
export async function setChangeSet(tx: Db, id: ChangeSetId, change: Update): Promise<void> {
  await tx
    .updateTable('change_set')
    .set({ ...change, fence: sql`fence + 1`, lease_until: null, lease_owner: null })
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .execute();
}

/** Adds rows to the count of an open set; false when it is not open or would hold more than `most`. */
export async function growChangeSet(
  tx: Db,
  id: ChangeSetId,
  { by, most, states }: { by: number; most: number; states: readonly ChangeSetState[] },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('change_set')
    .set({ change_count: sql`change_count + ${by}` })
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .where('state', 'in', states)
    .where(sql<boolean>`change_count + ${by} <= ${most}`)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Takes the set whose work has waited longest; across workspaces. */
export async function leaseChangeSet(
  tx: Db,
  lease: { owner: string; now: Date; until: Date },
): Promise<ChangeSet | undefined> {
  const { rows } = await sql<ChangeSet>`
    -- read once: within "in" it may be read anew, and take more than one
    with due as materialized (
      select workspace_id, id from change_set
      where state in ('planning', 'applying', 'cancelling') and not_before <= ${lease.now}
        and (lease_until is null or lease_until <= ${lease.now})
      order by not_before limit 1 for update skip locked)
    update change_set taken set lease_until = ${lease.until}, lease_owner = ${lease.owner},
      fence = taken.fence + 1
    from due where taken.workspace_id = due.workspace_id and taken.id = due.id
    returning taken.*`.execute(tx);
  return rows[0];
}

/** Keeps a lease; false when it went to somebody else. */
export async function extendSetLease(tx: Db, lease: SetLease, until: Date): Promise<boolean> {
  return changeHeldSet(tx, lease, { lease_until: until });
}

/** Changes a set for the worker that holds it; false when somebody decided otherwise meanwhile. */
export async function changeHeldSet(tx: Db, lease: SetLease, change: Update): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('change_set')
    .set(change)
    .where('workspace_id', '=', lease.workspace_id)
    .where('id', '=', lease.id)
    .where('fence', '=', lease.fence)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Adds what reading for a set has cost, whoever holds it now. */
export async function addSpent(
  tx: Db,
  set: Pick<ChangeSet, 'workspace_id' | 'id'>,
  tokens: number,
): Promise<void> {
  if (tokens === 0) return;
  await tx
    .updateTable('change_set')
    .set({ spent_tokens: sql`spent_tokens + ${tokens}` })
    .where('workspace_id', '=', set.workspace_id)
    .where('id', '=', set.id)
    .execute();
}

/** Sets whose values may not be kept any longer, page by page; across workspaces. */
export async function listSetsToForget(
  tx: Db,
  page: {
    now: Date;
    limit: number;
    after: Pick<ChangeSet, 'workspace_id' | 'id'> | undefined;
  },
): Promise<ChangeSet[]> {
  const { now, limit, after } = page;
  const due = tx.selectFrom('change_set').selectAll().where('images_until', '<=', now);
  const rest =
    after === undefined
      ? due
      : due.where(sql<boolean>`(workspace_id, id) > (${after.workspace_id}, ${after.id})`);
  return rest.orderBy('workspace_id').orderBy('id').limit(limit).execute();
}

export async function listChangeSetsByIds(
  tx: Db,
  ids: readonly ChangeSetId[],
): Promise<ChangeSet[]> {
  if (ids.length === 0) return [];
  return tx
    .selectFrom('change_set')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', 'in', ids)
    .execute();
}

/** The undo of each of these sets that is not cancelled or failed, the newest first. */
export async function listUndosOf(tx: Db, ids: readonly ChangeSetId[]): Promise<ChangeSet[]> {
  if (ids.length === 0) return [];
  return tx
    .selectFrom('change_set')
    .selectAll()
    .where(ofThisWorkspace)
    .where('undoes_id', 'in', ids)
    .orderBy('id', 'desc')
    .execute();
}

export interface ChangeSetFilter {
  states?: readonly ChangeSetState[] | undefined;
  kind?: ChangeSet['kind'] | undefined;
  connectionId?: string | undefined;
  causeService?: string | undefined;
  causeType?: string | undefined;
  causeId?: string | undefined;
}

const matches = (filter: ChangeSetFilter) => (where: ExpressionBuilder<Tables, 'change_set'>) =>
  where.and([
    ofThisWorkspace,
    ...(filter.states ? [where('state', 'in', filter.states)] : []),
    ...(filter.kind ? [where('kind', '=', filter.kind)] : []),
    ...(filter.connectionId ? [where(sql<string>`connection_id`, '=', filter.connectionId)] : []),
    ...(filter.causeService ? [where('cause_service', '=', filter.causeService)] : []),
    ...(filter.causeType ? [where('cause_type', '=', filter.causeType)] : []),
    ...(filter.causeId ? [where('cause_id', '=', filter.causeId)] : []),
  ]);

/** One page of sets by age; ids grow with time. */
export async function listChangeSets(
  tx: Db,
  filter: ChangeSetFilter,
  page: PageRequest & { newestFirst: boolean },
): Promise<ChangeSet[]> {
  const rows = tx.selectFrom('change_set').selectAll().where(matches(filter));
  return pageByKeyset(rows, { by: ['id'], descending: page.newestFirst, page }).execute();
}

export async function countChangeSets(tx: Db, filter: ChangeSetFilter): Promise<number> {
  return countRows(tx.selectFrom('change_set').where(matches(filter)));
}
