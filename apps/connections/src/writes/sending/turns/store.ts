import type { PipedriveObject, WriteStepId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { Db } from '../../../store.ts';
import type { Step } from '../../store.ts';
import type { Lease } from '../store.ts';

/** Somebody who stands in line, or is about to. */
export type Standing = Pick<Step, 'workspace_id' | 'company_id' | 'object' | 'id'>;

type Keyed = Standing & Pick<Step, 'key_hashes' | 'survivor_hashes' | 'target_pipedrive_id'>;

const lineOf = (object: PipedriveObject, pipedriveId: string): string =>
  `record|${object}|${pipedriveId}`;

/** Locks lines until the transaction ends, in one order, so that two who do it never wait for each other. */
async function lockLines(tx: Db, of: Standing, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const names = keys.toSorted().map((key) => `turn|${of.workspace_id}|${of.company_id}|${key}`);
  await sql`select pg_advisory_xact_lock(hashtextextended(name, 0))
    from unnest(${names}::text[]) name`.execute(tx);
}

/** Locks the lines these steps are about to stand in, for one who puts many in line in one transaction. */
export async function lockLinesOf(tx: Db, steps: readonly Keyed[]): Promise<void> {
  const keys: string[] = [];
  const [first] = steps;
  if (first === undefined) return;
  for (const step of steps) keys.push(...hashesOf(step), ...namedLines(step));
  for (const [object, some] of Map.groupBy(steps, (step) => step.object)) {
    keys.push(...(await linkedLines(tx, { ...first, object }, some.flatMap(hashesOf))));
  }
  await lockLines(tx, first, [...new Set(keys)]);
}

const hashesOf = (step: Keyed): string[] => [...step.key_hashes, ...step.survivor_hashes];

const namedLines = ({ object, target_pipedrive_id: id }: Keyed): string[] =>
  id === null ? [] : [lineOf(object, id)];

/** The lines of the records these keys are known to mean. */
async function linkedLines(tx: Db, of: Standing, hashes: readonly string[]): Promise<string[]> {
  if (hashes.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    select distinct pipedrive_id as id from link
    where workspace_id = ${of.workspace_id} and company_id = ${of.company_id}
      and object = ${of.object} and key_hash = any(${hashes}::text[])
      and state = 'linked' and pipedrive_id is not null`.execute(tx);
  return rows.map(({ id }) => lineOf(of.object, id));
}

/**
 * Puts a step at the end of the line of each of its keys, and of each record it is known to be about.
 * The lines are locked first, so that a lower number is never committed after a higher one.
 */
export async function insertTurns(tx: Db, step: Keyed): Promise<void> {
  const hashes = hashesOf(step);
  const linked = await linkedLines(tx, step, hashes);
  const keys = [...new Set([...hashes, ...linked, ...namedLines(step)])];
  await lockLines(tx, step, keys);
  await sql`insert into write_turn (workspace_id, company_id, key_hash, turn, step_id)
    select ${step.workspace_id}, ${step.company_id}, key, number, ${step.id}
    from unnest(${keys}::text[]) key, (select nextval('write_turn_number') as number) n`.execute(
    tx,
  );
}

/**
 * Puts a step that is about to act on records into their lines too, at the place it was asked for.
 * True: it has to wait, because another one comes first or has sent what is not over, or because
 * somebody is changing the step itself.
 */
export async function lineUpForRecords(
  tx: Db,
  step: Standing & Lease & Pick<Step, 'sent_at' | 'pipedrive_id' | 'loser_pipedrive_id'>,
  pipedriveIds: readonly string[],
): Promise<boolean> {
  const keys = [...new Set(pipedriveIds.map((id) => lineOf(step.object, id)))];
  if (keys.length === 0) return false;
  await lockLines(tx, step, keys);
  // nobody goes in front of one whose call is under way: the two would wait for each other
  const { rows } = await sql<{ is_taken: boolean }>`
    select exists (
      select from write_turn other
      join write_step s on s.workspace_id = other.workspace_id and s.id = other.step_id
      where other.workspace_id = ${step.workspace_id} and other.company_id = ${step.company_id}
        and other.key_hash = any(${keys}::text[]) and other.step_id <> ${step.id}
        and s.sent_at is not null and ${isStanding}) as is_taken`.execute(tx);
  // its own call may have been carried out: it has the record already
  const sentTo = [step.pipedrive_id, step.loser_pipedrive_id];
  const hasSent = step.sent_at !== null && pipedriveIds.some((id) => sentTo.includes(id));
  if (rows[0]?.is_taken === true && !hasSent) return true;
  if (!(await insertBehind(tx, step, keys))) return true;
  return !hasSent && (await hasEarlier(tx, step, keys));
}

/**
 * False when the lease is gone, or somebody is at the row: whoever cancels the step would not see
 * these places and leave them behind. The row is not waited for, as they may want one of our lines.
 */
async function insertBehind(
  tx: Db,
  step: Standing & Lease,
  keys: readonly string[],
): Promise<boolean> {
  const { rows } = await sql<{ is_held: boolean }>`
    with held as (
      select id from write_step
      where workspace_id = ${step.workspace_id} and id = ${step.id} and fence = ${step.fence}
      for update skip locked
    ), placed as (
      insert into write_turn (workspace_id, company_id, key_hash, turn, step_id)
      select ${step.workspace_id}, ${step.company_id}, key, own.turn, held.id
      from held, unnest(${keys}::text[]) key, (select min(turn) as turn from write_turn
        where workspace_id = ${step.workspace_id} and step_id = ${step.id}) own
      where own.turn is not null
      on conflict do nothing
    )
    select exists (select from held) as is_held`.execute(tx);
  return rows[0]?.is_held === true;
}

/** Of the step `s`: a place that one which has ended left behind holds up nobody. */
const isStanding = sql<boolean>`s.state in ('queued', 'sending', 'unknown')`;

async function hasEarlier(tx: Db, step: Standing, keys: readonly string[]): Promise<boolean> {
  const { rows } = await sql<{ is: boolean }>`
    select exists (
      select from write_turn mine join write_turn earlier
        on earlier.workspace_id = mine.workspace_id and earlier.company_id = mine.company_id
        and earlier.key_hash = mine.key_hash and earlier.turn < mine.turn
      join write_step s on s.workspace_id = earlier.workspace_id and s.id = earlier.step_id
      where mine.workspace_id = ${step.workspace_id} and mine.step_id = ${step.id}
        and mine.key_hash = any(${keys}::text[]) and ${isStanding}) as is`.execute(tx);
  return rows[0]?.is === true;
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
