import type { WriteStepId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql, type Updateable } from 'kysely';
import type { Db } from '../../store.ts';
import type { Step } from '../store.ts';
import type { WriteTables } from '../tables.ts';

/** Who holds a step, and since which lease. */
export type Lease = Pick<Step, 'workspace_id' | 'id' | 'fence'>;

/** Changes a step for whoever holds it; false when the lease went to somebody else. */
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
  return numUpdatedRows > 0n;
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

type Keyed = Pick<Step, 'workspace_id' | 'company_id' | 'id' | 'key_hashes' | 'survivor_hashes'>;

/**
 * Puts a step at the end of the line of each of its keys. The keys are locked first, in one order,
 * so that a lower number is never committed after a higher one.
 */
export async function insertTurns(tx: Db, step: Keyed): Promise<void> {
  const keys = [...new Set([...step.key_hashes, ...step.survivor_hashes])].toSorted();
  for (const key of keys) {
    const name = `turn|${step.workspace_id}|${step.company_id}|${key}`;
    await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx);
  }
  await sql`insert into write_turn (workspace_id, company_id, key_hash, turn, step_id)
    select ${step.workspace_id}, ${step.company_id}, key, number, ${step.id}
    from unnest(${keys}::text[]) key, (select nextval('write_turn_number') as number) n`.execute(
    tx,
  );
}

/** Gives the places of a step to another one with the same keys; false when it stands in no line. */
export async function moveTurns(
  tx: Db,
  { from, to }: { from: WriteStepId; to: WriteStepId },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('write_turn')
    .set({ step_id: to })
    .where(ofThisWorkspace)
    .where('step_id', '=', from)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The steps that handed what they were to write to this one. */
export async function listCarried(tx: Db, carrier: WriteStepId): Promise<Step[]> {
  return tx
    .selectFrom('write_step')
    .selectAll()
    .where(ofThisWorkspace)
    .where('superseded_by', '=', carrier)
    .where('sealed_body', 'is not', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

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
    )
    update write_step set lane = 'interactive',
      not_before = case when state = 'queued' then least(not_before, ${now}) else not_before end
    where workspace_id = ${step.workspace_id} and lane <> 'interactive'
      and id in (select step_id from ahead)`.execute(tx);
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

/** The step behind this one in the line of its first key, held until the transaction ends. */
export async function lockFollower(tx: Db, step: Keyed): Promise<Step | undefined> {
  const { rows } = await sql<Step>`
    select s.* from write_step s where s.workspace_id = ${step.workspace_id} and s.id = (
      select later.step_id from write_turn mine join write_turn later
        on later.workspace_id = mine.workspace_id and later.company_id = mine.company_id
        and later.key_hash = mine.key_hash and later.turn > mine.turn
      where mine.workspace_id = ${step.workspace_id} and mine.step_id = ${step.id}
        and mine.key_hash = ${step.key_hashes[0] ?? ''}
      order by later.turn limit 1)
    for update of s skip locked`.execute(tx);
  return rows[0];
}
