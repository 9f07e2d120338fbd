import type { FieldValue, PipedriveRecord } from '@manifold/contracts';
import { needsList } from '@manifold/pipedrive';
import { type Held, type SendingDeps, withHeld } from '../writes/sending/held.ts';
import { handleFailure } from '../writes/sending/ending/failure.ts';
import { readRecord, resolve } from '../writes/sending/resolving/resolve.ts';
import { sendCreate, sendDelete, sendUpdate } from '../writes/sending/send.ts';
import { endStep, endUnder } from '../writes/sending/ending/settle.ts';
import { isOutOfTurn } from '../writes/sending/turns/waiting.ts';
import { endUnresolved } from '../writes/sending/resolving/unresolved.ts';
import { writtenOf } from './applying/rules.ts';
import { openImage } from './undoing/images.ts';
import { restOf, wordsOf } from './planning/reasons/rules.ts';
import { type Fields, holds, isFresh } from './rules.ts';
import { type Change, setChange } from './rows/store.ts';

/**
 * Carries out a step of a change set exactly as it was planned, or leaves it be when its record is
 * no longer as it was planned on. False: the step is one that goes the usual way.
 */
export async function carryOutPlanned(
  deps: SendingDeps,
  held: Held,
  references: Record<string, FieldValue>,
): Promise<boolean> {
  const { step, change } = held;
  if (change === undefined) throw new Error(`Step ${step.id} has no change`);
  switch (change.effect) {
    case 'link':
    case 'merge':
      return false;
    case null:
    case 'none':
      await endUnchanged(deps, held, change);
      return true;
    case 'create':
      await createPlanned(deps, held, references);
      return true;
    case 'update':
      await updatePlanned(deps, held, { change, references });
      return true;
    case 'delete':
      await deletePlanned(deps, held, change);
      return true;
  }
}

function endUnchanged(deps: SendingDeps, held: Held, change: Change): Promise<void> {
  const { pipedrive_id: id, reason, record_update_time: updateTime } = change;
  const { planned_cause, planned_fix } = change;
  const { cause, fix } = wordsOf({ reason, cause: planned_cause, fix: planned_fix });
  const state = restOf(reason);
  return endStep(deps, held, {
    state,
    reason: reason ?? 'nothing_to_change',
    ...(state === 'no_change' || cause === null ? {} : { cause }),
    ...(state === 'no_change' || fix === null ? {} : { fix }),
    candidates: change.candidates,
    ...(id === null ? {} : { record: { id, updateTime } }),
  });
}

/** Looked for once more: somebody may have made it since the plan. */
async function createPlanned(
  deps: SendingDeps,
  held: Held,
  references: Record<string, FieldValue>,
): Promise<void> {
  const resolution = await resolve(deps, held);
  if (await endUnresolved(deps, held, resolution)) return;
  if (resolution.outcome === 'found') {
    const { record } = resolution;
    return endStep(deps, held, { state: 'skipped', reason: 'record_drifted', record });
  }
  await sendCreate(deps, held, { ...held.body.fields, ...references });
}

async function updatePlanned(
  deps: SendingDeps,
  held: Held,
  { change, references }: { change: Change; references: Record<string, FieldValue> },
): Promise<void> {
  const { step } = held;
  const before = openImage(deps.vault, change, 'sealed_before');
  const after = openImage(deps.vault, change, 'sealed_after');
  if (before === undefined || after === undefined || change.pipedrive_id === null) {
    return endStep(deps, held, { state: 'skipped', reason: 'plan_expired' });
  }
  if (await isOutOfTurn(deps, held, [{ id: change.pipedrive_id }])) return;
  const pending = change.changed_keys.filter((code) => !(code in after));
  const fields = { ...after, ...pick(references, pending) };
  const planned = asPlanned(change, before);
  if (mayTrust(held, change, deps.now()) && !needsList(planned, fields)) {
    return sendUpdate(deps, held, { record: planned, fields });
  }
  const read = await readRecord(held, change.pipedrive_id);
  if (read.outcome === 'failed') {
    await handleFailure(deps, held, { failure: read.failure, effect: undefined });
    return;
  }
  if (read.outcome === 'gone') {
    return endStep(deps, held, { state: 'skipped', reason: 'record_gone' });
  }
  const { record } = read;
  const written =
    step.sent_effect === 'updated'
      ? writtenOf(record.fields, { before, after: fields })
      : undefined;
  // an earlier try of unknown end turns out to have been carried out
  if (written !== undefined) return endWritten(deps, held, { change, record, written });
  if (!holds(record.fields, before)) {
    return endStep(deps, held, { state: 'skipped', reason: 'record_drifted', record });
  }
  await sendUpdate(deps, held, { record, fields });
}

/** What somebody has edited since is theirs, and undoing the change leaves it to them. */
async function endWritten(
  deps: SendingDeps,
  held: Held,
  {
    change,
    record,
    written: { written, kept },
  }: { change: Change; record: PipedriveRecord; written: { written: string[]; kept: string[] } },
): Promise<void> {
  const end = { state: 'applied', effect: 'updated', record, changedKeys: written } as const;
  await withHeld(deps, held, async (tx) => {
    if (!(await endUnder(deps, tx, { held, end })) || kept.length === 0) return;
    const columns = { changed_keys: written, kept_keys: kept, reason: 'edited_since' } as const;
    await setChange(tx, change.id, columns);
  });
}

/** There is no way back, so the record is always read first. */
async function deletePlanned(deps: SendingDeps, held: Held, change: Change): Promise<void> {
  const id = change.pipedrive_id ?? '';
  if (await isOutOfTurn(deps, held, [{ id }])) return;
  const read = await readRecord(held, id);
  if (read.outcome === 'failed') {
    await handleFailure(deps, held, { failure: read.failure, effect: undefined });
    return;
  }
  if (read.outcome === 'gone') {
    return held.step.sent_effect === 'deleted'
      ? endStep(deps, held, { state: 'applied', effect: 'deleted' })
      : endStep(deps, held, { state: 'no_change', reason: 'record_gone' });
  }
  const { record } = read;
  const before = openImage(deps.vault, change, 'sealed_before') ?? {};
  return record.updateTime === change.record_update_time && holds(record.fields, before)
    ? sendDelete(deps, held, record)
    : endStep(deps, held, { state: 'skipped', reason: 'record_drifted', record });
}

/** The record was seen to be as planned just now, and nothing has been tried since. */
const mayTrust = ({ step }: Held, change: Change, now: Date): boolean =>
  isFresh(change.checked_at, now) && step.attempts === 0 && step.sent_at === null;

const pick = (values: Fields, codes: readonly string[]): Fields =>
  Object.fromEntries(
    codes.flatMap((code) => (values[code] === undefined ? [] : [[code, values[code]]])),
  );

const asPlanned = (change: Change, fields: Fields): PipedriveRecord => ({
  object: change.object,
  id: change.pipedrive_id ?? '',
  updateTime: change.record_update_time,
  addTime: null,
  deleted: false,
  fields,
});
