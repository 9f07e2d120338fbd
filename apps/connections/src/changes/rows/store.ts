import type {
  ChangeId,
  ChangeSetId,
  PipedriveObject,
  ReasonCode,
  WriteRequestId,
} from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { Db } from '../../store.ts';
import type { StepState } from '../../writes/tables.ts';
import type { ChangeEffect, ChangeTables } from '../tables.ts';

export type Change = Selectable<ChangeTables['change']>;

export async function insertChanges(
  tx: Db,
  changes: Insertable<ChangeTables['change']>[],
): Promise<void> {
  if (changes.length === 0) return;
  await tx.insertInto('change').values(changes).execute();
}

export async function findChange(tx: Db, id: ChangeId): Promise<Change | undefined> {
  return tx
    .selectFrom('change')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .executeTakeFirst();
}

export async function listChangesOfRequests(
  tx: Db,
  ids: readonly WriteRequestId[],
): Promise<Change[]> {
  if (ids.length === 0) return [];
  return tx
    .selectFrom('change')
    .selectAll()
    .where(ofThisWorkspace)
    .where('write_request_id', 'in', ids)
    .orderBy('id')
    .execute();
}

/** The first requests of a set that hold a change nobody has planned yet. */
export async function listUnplannedRequests(
  tx: Db,
  setId: ChangeSetId,
  limit: number,
): Promise<WriteRequestId[]> {
  const { rows } = await sql<{ write_request_id: WriteRequestId }>`
    select write_request_id from (
      select write_request_id, id from change
      where ${ofThisWorkspace} and change_set_id = ${setId} and effect is null
      order by id limit ${limit * 5}
    ) first group by write_request_id order by min(id) limit ${limit}`.execute(tx);
  return rows.map((row) => row.write_request_id);
}

/** Writes down what was planned for a change. */
export async function setChange(
  tx: Db,
  id: ChangeId,
  change: Updateable<ChangeTables['change']>,
): Promise<void> {
  await tx.updateTable('change').set(change).where(ofThisWorkspace).where('id', '=', id).execute();
}

/** Records and new keys that planned changes of a set are about already. */
export async function listTaken(
  tx: Db,
  setId: ChangeSetId,
  wanted: {
    object: PipedriveObject;
    pipedriveIds: readonly string[];
    keyHashes: readonly string[];
  },
): Promise<{ pipedrive_id: string | null; key_hashes: string[] }[]> {
  const { rows } = await sql<{ pipedrive_id: string | null; key_hashes: string[] }>`
    select c.pipedrive_id, '{}'::text[] as key_hashes from change c
    where c.${ofThisWorkspace} and c.change_set_id = ${setId} and c.object = ${wanted.object}
      and c.effect in ('update', 'delete', 'merge') and c.pipedrive_id = any(${wanted.pipedriveIds})
    union all
    select null, s.key_hashes from change c
    join write_step s on s.workspace_id = c.workspace_id and s.id = c.write_step_id
    where c.${ofThisWorkspace} and c.change_set_id = ${setId} and c.object = ${wanted.object}
      and c.effect = 'create' and s.key_hashes && ${wanted.keyHashes}::text[]`.execute(tx);
  return rows;
}

/** SHA-256 over the ids and after-values of every change of a set, in their order. */
export async function hashChanges(tx: Db, setId: ChangeSetId): Promise<string> {
  const { rows } = await sql<{ hash: string }>`
    select encode(sha256(convert_to(coalesce(
      string_agg(id || ':' || coalesce(after_hash, ''), ',' order by id), ''), 'UTF8')), 'hex') as hash
    from change where ${ofThisWorkspace} and change_set_id = ${setId}`.execute(tx);
  return rows[0]?.hash ?? '';
}

/** How many changes of sets are alike in what was planned and what came of it. */
export interface ChangeTally {
  change_set_id: ChangeSetId;
  effect: ChangeEffect | null;
  reason: ReasonCode | null;
  step_state: StepState;
  step_reason: ReasonCode | null;
  count: number;
  price_tokens: number;
  cost_tokens: number;
}

export async function tallyChanges(tx: Db, setIds: readonly ChangeSetId[]): Promise<ChangeTally[]> {
  if (setIds.length === 0) return [];
  const { rows } = await sql<ChangeTally>`
    select c.change_set_id, c.effect, c.reason, s.state as step_state, s.reason as step_reason,
      count(*)::int as count, sum(c.price_tokens)::int as price_tokens,
      sum(s.cost_tokens)::int as cost_tokens
    from change c join write_step s
      on s.workspace_id = c.workspace_id and s.id = c.write_step_id
    where c.${ofThisWorkspace} and c.change_set_id = any(${setIds})
    group by 1, 2, 3, 4, 5`.execute(tx);
  return rows;
}

/** Rows of a set by the kind of record: all, those that write one, make one, and look at theirs once more before. */
export interface ObjectTally {
  object: PipedriveObject;
  rows: number;
  changed: number;
  creates: number;
  rechecked: number;
}

export async function tallyObjects(tx: Db, setId: ChangeSetId): Promise<ObjectTally[]> {
  const { rows } = await sql<ObjectTally>`
    select object, count(*)::int as rows,
      count(*) filter (where effect in ('create', 'update', 'delete', 'merge'))::int as changed,
      count(*) filter (where effect = 'create')::int as creates,
      count(*) filter (where effect in ('update', 'delete'))::int as rechecked
    from change where ${ofThisWorkspace} and change_set_id = ${setId} group by object`.execute(tx);
  return rows;
}
