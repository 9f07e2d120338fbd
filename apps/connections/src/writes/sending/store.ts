import type { WriteStepId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql, type Updateable } from 'kysely';
import type { Db } from '../../store.ts';
import type { Step } from '../store.ts';
import type { WriteTables } from '../tables.ts';

/** Who holds a step, and since which lease. */
export type Lease = Pick<Step, 'workspace_id' | 'id' | 'fence'>;

/**
 * Changes a step for whoever holds it; false when the lease went to somebody else. What was spent on
 * it was spent all the same.
 */
export async function changeHeldStep(
  tx: Db,
  lease: Lease,
  change: Updateable<WriteTables['write_step']>,
  spentTokens: number,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('write_step')
    .set({ ...change, cost_tokens: sql`cost_tokens + ${spentTokens}` })
    .where('workspace_id', '=', lease.workspace_id)
    .where('id', '=', lease.id)
    .where('fence', '=', lease.fence)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) return true;
  if (spentTokens > 0) await addCost(tx, lease, spentTokens);
  return false;
}

async function addCost(tx: Db, { workspace_id, id }: Lease, tokens: number): Promise<void> {
  await tx
    .updateTable('write_step')
    .set({ cost_tokens: sql`cost_tokens + ${tokens}` })
    .where('workspace_id', '=', workspace_id)
    .where('id', '=', id)
    .execute();
}

/** Changes a step nobody is sending, and takes it from whoever was about to. */
export async function changeIdleStep(
  tx: Db,
  id: WriteStepId,
  change: Updateable<WriteTables['write_step']>,
  states: readonly Step['state'][] = ['planned', 'queued', 'parked'],
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('write_step')
    .set({ ...change, fence: sql`fence + 1`, lease_until: null, lease_owner: null })
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .where('state', 'in', states)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The same of several in any of the states they may rest in. */
export async function changeIdleSteps(
  tx: Db,
  ids: readonly WriteStepId[],
  change: Updateable<WriteTables['write_step']>,
): Promise<void> {
  await tx
    .updateTable('write_step')
    .set({ ...change, fence: sql`fence + 1`, lease_until: null, lease_owner: null })
    .where(ofThisWorkspace)
    .where(sql<boolean>`id = any(${[...ids]}::text[])`)
    .where('state', 'in', ['planned', 'queued', 'parked'])
    .execute();
}

/** Ends a step whose call may have been carried out, and takes it from whoever is at it. */
export async function changeStepInDoubt(
  tx: Db,
  id: WriteStepId,
  change: Updateable<WriteTables['write_step']>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('write_step')
    .set({ ...change, fence: sql`fence + 1`, lease_until: null, lease_owner: null })
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .where('state', 'in', ['sending', 'unknown'])
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Keeps a step from everybody else until the transaction ends; false when the lease went to somebody else. */
export async function lockHeldStep(tx: Db, lease: Lease): Promise<boolean> {
  const row = await tx
    .selectFrom('write_step')
    .select('id')
    .where('workspace_id', '=', lease.workspace_id)
    .where('id', '=', lease.id)
    .where('fence', '=', lease.fence)
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

type Keyed = Pick<Step, 'workspace_id' | 'id' | 'key_hashes'>;

export async function removeTurns(tx: Db, stepId: WriteStepId): Promise<void> {
  await tx.deleteFrom('write_turn').where(ofThisWorkspace).where('step_id', '=', stepId).execute();
}

/** Whatever stands before an interactive step in any of its lines becomes interactive too, and tries at once. */
export async function liftLanes(
  tx: Db,
  step: Pick<Step, 'workspace_id' | 'id'>,
  now: Date,
): Promise<void> {
  await sql`
    with recursive ahead (step_id) as (
      select ${step.id}::text
      union
      select earlier.step_id from ahead
      join write_turn mine on mine.workspace_id = ${step.workspace_id} and mine.step_id = ahead.step_id
      join write_turn earlier on earlier.workspace_id = mine.workspace_id
        and earlier.company_id = mine.company_id and earlier.key_hash = mine.key_hash
        and earlier.turn < mine.turn
    ), lifted as (
      -- in one order: others may lift some of them too
      select id from write_step
      where workspace_id = ${step.workspace_id} and lane <> 'interactive'
        and id in (select step_id from ahead)
      order by id for update
    )
    update write_step s set lane = 'interactive',
      not_before = case when s.state = 'queued' then least(s.not_before, ${now}) else s.not_before end
    from lifted where s.workspace_id = ${step.workspace_id} and s.id = lifted.id`.execute(tx);
}

/** Whether a step stands behind this one in the line of its first key. */
export async function hasFollower(tx: Db, step: Keyed): Promise<boolean> {
  const { rows } = await sql<{ is: boolean }>`
    select exists (
      select from write_turn mine join write_turn later
        on later.workspace_id = mine.workspace_id and later.company_id = mine.company_id
        and later.key_hash = mine.key_hash and later.turn > mine.turn
      where mine.workspace_id = ${step.workspace_id} and mine.step_id = ${step.id}
        and mine.key_hash = ${step.key_hashes[0] ?? ''}) as is`.execute(tx);
  return rows[0]?.is === true;
}

/**
 * The step behind this one in the line of its first key, held until the transaction ends. None when a
 * third one stands between the two in any line: what it writes would come too early.
 */
export async function lockFollower(tx: Db, step: Keyed): Promise<Step | undefined> {
  const { rows } = await sql<Step>`
    select s.* from write_step s where s.workspace_id = ${step.workspace_id} and s.id = (
      select later.step_id from write_turn mine join write_turn later
        on later.workspace_id = mine.workspace_id and later.company_id = mine.company_id
        and later.key_hash = mine.key_hash and later.turn > mine.turn
      where mine.workspace_id = ${step.workspace_id} and mine.step_id = ${step.id}
        and mine.key_hash = ${step.key_hashes[0] ?? ''}
        and not exists (
          select from write_turn own join write_turn between_them
            on between_them.workspace_id = own.workspace_id
            and between_them.company_id = own.company_id
            and between_them.key_hash = own.key_hash
            and between_them.turn > own.turn and between_them.turn < later.turn
          where own.workspace_id = mine.workspace_id and own.step_id = mine.step_id)
      order by later.turn limit 1)
    for update of s skip locked`.execute(tx);
  return rows[0];
}
