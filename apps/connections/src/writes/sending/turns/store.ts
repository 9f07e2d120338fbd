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
  await linesOf(tx, steps);
}

/** The lines each step of one company is to stand in, locked. */
async function linesOf(tx: Db, steps: readonly Keyed[]): Promise<Map<Keyed, string[]>> {
  const lines = new Map<Keyed, string[]>();
  const [first] = steps;
  if (first === undefined) return lines;
  for (const [object, some] of Map.groupBy(steps, (step) => step.object)) {
    const linked = await linkedLines(tx, { ...first, object }, some.flatMap(hashesOf));
    for (const step of some) {
      const hashes = hashesOf(step);
      const known = hashes.flatMap((hash) => linked.get(hash) ?? []);
      lines.set(step, [...new Set([...hashes, ...known, ...namedLines(step)])]);
    }
  }
  await lockLines(tx, first, [...new Set([...lines.values()].flat())]);
  return lines;
}

const hashesOf = (step: Keyed): string[] => [...step.key_hashes, ...step.survivor_hashes];

const namedLines = ({ object, target_pipedrive_id: id }: Keyed): string[] =>
  id === null ? [] : [lineOf(object, id)];

/** The lines of the records these keys are known to mean, by key. */
async function linkedLines(
  tx: Db,
  of: Standing,
  hashes: readonly string[],
): Promise<Map<string, string>> {
  if (hashes.length === 0) return new Map();
  const { rows } = await sql<{ key_hash: string; id: string }>`
    select key_hash, pipedrive_id as id from link
    where workspace_id = ${of.workspace_id} and company_id = ${of.company_id}
      and object = ${of.object} and key_hash = any(${hashes}::text[])
      and state = 'linked' and pipedrive_id is not null`.execute(tx);
  return new Map(rows.map(({ key_hash, id }) => [key_hash, lineOf(of.object, id)]));
}

/**
 * Puts steps of one company, in this order, at the end of the line of each of their keys, and of each
 * record they are known to be about. The lines are locked first, so that a lower number is never
 * committed after a higher one.
 */
export async function insertTurns(tx: Db, steps: readonly Keyed[]): Promise<void> {
  const lines = await linesOf(tx, steps);
  const [first] = steps;
  if (first === undefined) return;
  const places = steps.flatMap((step) => (lines.get(step) ?? []).map((key) => ({ key, step })));
  await sql`insert into write_turn (workspace_id, company_id, key_hash, turn, step_id)
    select ${first.workspace_id}, ${first.company_id}, place.key, numbered.turn, place.step_id
    from unnest(${places.map(({ key }) => key)}::text[],
      ${places.map(({ step }) => step.id)}::text[]) place (key, step_id)
    join (
      select step_id, nextval('write_turn_number') as turn
      from unnest(${steps.map(({ id }) => id)}::text[]) step_id offset 0
    ) numbered using (step_id)`.execute(tx);
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
  // its own call may have been carried out: it has the record already
  const sentTo = [step.pipedrive_id, step.loser_pipedrive_id];
  const hasSent = step.sent_at !== null && pipedriveIds.some((id) => sentTo.includes(id));
  const place = await takePlaces(tx, step, { keys, hasSent });
  if (!place.is_held || place.is_taken) return true;
  return !hasSent && place.has_earlier;
}

/**
 * Takes a place in these lines, which are locked. Not held: the lease is gone, or somebody is at the
 * row, who would not see these places when he cancels the step and leave them behind; the row is not
 * waited for, as he may want one of our lines. Taken: the call of another one is under way, and
 * nobody goes in front of that, because the two would wait for each other.
 */
async function takePlaces(
  tx: Db,
  step: Standing & Lease,
  { keys, hasSent }: { keys: readonly string[]; hasSent: boolean },
): Promise<{ is_held: boolean; is_taken: boolean; has_earlier: boolean }> {
  const { rows } = await sql<{ is_held: boolean; is_taken: boolean; has_earlier: boolean }>`
    with line (key) as (select unnest(${keys}::text[])),
    other as (
      select turn.key_hash, turn.turn, s.sent_at is not null as has_sent
      from line cross join lateral (
        select key_hash, turn, step_id from write_turn
        where workspace_id = ${step.workspace_id} and company_id = ${step.company_id}
          and key_hash = line.key and step_id <> ${step.id} offset 0) turn
      cross join lateral (
        select sent_at, state from write_step
        where workspace_id = ${step.workspace_id} and id = turn.step_id offset 0) s
      -- a place that one which has ended left behind holds up nobody
      where s.state in ('queued', 'sending', 'unknown')
    ), own as (
      select key_hash, turn from write_turn
      where workspace_id = ${step.workspace_id} and step_id = ${step.id}
    ), taken as (select ${!hasSent}::boolean and exists (select from other where has_sent) as is),
    held as (
      select id from write_step
      where workspace_id = ${step.workspace_id} and id = ${step.id} and fence = ${step.fence}
        and not (select taken.is from taken)
      for update skip locked
    ), placed as (
      insert into write_turn (workspace_id, company_id, key_hash, turn, step_id)
      select ${step.workspace_id}, ${step.company_id}, line.key, (select min(turn) from own), held.id
      from held cross join line where exists (select from own)
      on conflict do nothing
    )
    select exists (select from held) as is_held, (select taken.is from taken) as is_taken,
      exists (select from other where other.turn < coalesce(
        (select max(own.turn) from own where own.key_hash = other.key_hash),
        (select min(own.turn) from own))) as has_earlier`.execute(tx);
  return rows[0] ?? { is_held: false, is_taken: false, has_earlier: false };
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
