import type { FieldValue, PipedriveRecord } from '@manifold/contracts';
import { carryOutPlanned } from '../../changes/sending.ts';
import { openBody, sealBody } from '../body.ts';
import { decideChanges, withoutEdited } from '../diff/rules.ts';
import { referencesOf } from '../progress.ts';
import { mayCarryMore } from '../carried/rules.ts';
import { areJoinable, canCoalesce, moreUrgent } from '../rules.ts';
import { lockRequest } from '../store.ts';
import { type Held, type SendingDeps, withHeld } from './held.ts';
import { findKnownEqual } from './resolving/known.ts';
import { carryOutMerge } from './merging/merge.ts';
import { endMisfit } from './misfit/misfit.ts';
import { resolve } from './resolving/resolve.ts';
import { sendCreate, sendDelete, sendUpdate } from './send.ts';
import { endStep, endUnder } from './ending/settle.ts';
import { changeIdleStep, lockFollower, lockHeldStep } from './store.ts';
import { isOutOfTurn } from './turns/waiting.ts';
import { endUnresolved } from './resolving/unresolved.ts';

type Fields = Record<string, FieldValue>;

/** Carries out a step whose turn it is: finds the record, compares, and sends what differs. */
export async function carryOut(deps: SendingDeps, held: Held): Promise<void> {
  const ofChangeSet = held.step.change_id !== null;
  if (ofChangeSet && (await carryOutPlanned(deps, held, referencedIds(held)))) return;
  if (!ofChangeSet && ((await endMisfit(deps, held)) || (await handedOver(deps, held)))) return;
  if (held.step.operation === 'merge') return carryOutMerge(deps, held);
  const fields = fieldsOf(held);
  const known = await findKnownEqual(deps, held, fields);
  if (known !== undefined) {
    const record = { id: known, updateTime: null };
    return endStep(deps, held, { state: 'no_change', reason: 'nothing_to_change', record });
  }
  const resolution = await resolve(deps, held);
  if (await endUnresolved(deps, held, resolution)) return;
  if (resolution.outcome === 'found') {
    const { record } = resolution;
    if (await isOutOfTurn(deps, held, [record])) return;
    return endFound(deps, aimedAt(held, record.id), { fields, record });
  }
  return endAbsent(deps, held, { fields, isNamedById: resolution.outcome === 'gone' });
}

const aimedAt = (held: Held, id: string): Held => ({
  ...held,
  step: { ...held.step, target_pipedrive_id: id },
});

/** What the step wishes, with the records of earlier steps it points at. */
export const fieldsOf = (held: Held): Fields => ({ ...held.body.fields, ...referencedIds(held) });

/** Ids of the records of earlier steps, by the field that points at them. */
function referencedIds({ step, steps }: Held): Fields {
  const ids = Object.entries(referencesOf(step)).flatMap(([code, name]) => {
    const id = steps.find((earlier) => earlier.name === name)?.pipedrive_id;
    if (id === null || id === undefined) return [];
    // leads have UUIDs, everything else numbers
    return [[code, /^\d+$/.test(id) ? Number(id) : id]];
  });
  return Object.fromEntries(ids);
}

/** Ends the step by giving its wishes to the next one on the same record, where one call can do for both. */
async function handedOver(deps: SendingDeps, held: Held): Promise<boolean> {
  const { step, steps, body } = held;
  const isLast = step.position === steps.length - 1;
  if (!isLast || !held.isFollowed || step.sent_at !== null) return false;
  if (!mayCarryMore(held.carriedCount)) return false;
  return withHeld(deps, held, async (tx) => {
    // the request before the step, as wherever both are locked
    await lockRequest(tx, step.write_request_id);
    // its own row before the other one, which is not waited for: whoever lifts both may hold it
    if (!(await lockHeldStep(tx, step))) return true;
    const newer = await lockFollower(tx, step);
    const older = { ...step, isLast };
    // what a change set shows is sent as it was shown
    if (!newer || newer.change_id !== null || !canCoalesce(older, newer, deps.now())) return false;
    if (!areJoinable(body, openBody(deps.vault, newer))) return false;
    const reason = 'superseded_by_newer';
    const end = { state: 'superseded', reason, supersededBy: newer.id } as const;
    // the lease is gone: whoever has it now hands over
    if (!(await endUnder(deps, tx, { held, end }))) return true;
    // what it points at is known here, and not where it is written
    const fields = { ...held.ownBody.fields, ...referencedIds(held) };
    const sealed_body = sealBody(deps.vault, step, { ...held.ownBody, fields });
    await changeIdleStep(tx, step.id, { sealed_body }, ['superseded']);
    return changeIdleStep(tx, newer.id, { lane: moreUrgent(step.lane, newer.lane) });
  });
}

async function endAbsent(
  deps: SendingDeps,
  held: Held,
  { fields, isNamedById }: { fields: Fields; isNamedById: boolean },
): Promise<void> {
  const { step } = held;
  switch (step.operation) {
    case 'delete':
      // ours, when an earlier try of unknown end did it
      return step.sent_effect === 'deleted'
        ? endStep(deps, held, { state: 'applied', effect: 'deleted' })
        : endStep(deps, held, { state: 'no_change', reason: 'record_gone' });
    case 'link':
      return endStep(deps, held, { state: 'skipped', reason: 'record_not_found' });
    case 'update':
      if (!isNamedById) {
        return endStep(deps, held, { state: 'skipped', reason: 'record_not_found' });
      }
      return parkGone(deps, held);
    case 'upsert':
    case 'create':
      return isNamedById ? parkGone(deps, held) : sendCreate(deps, held, fields);
    case 'merge':
      throw new Error(`Step ${step.id} is a merge`);
  }
}

const parkGone = (deps: SendingDeps, held: Held): Promise<void> =>
  endStep(deps, held, {
    state: 'parked',
    reason: 'record_gone',
    cause: 'The record this write names by its id is no longer in Pipedrive.',
    fix: 'Restore the record in Pipedrive and use redrive, or cancel the write.',
  });

export async function endFound(
  deps: SendingDeps,
  held: Held,
  { fields, record }: { fields: Fields; record: PipedriveRecord },
): Promise<void> {
  const { step, body } = held;
  if (step.operation === 'delete') return sendDelete(deps, held, record);
  if (step.operation === 'link') {
    return endStep(deps, held, { state: 'applied', effect: 'linked', record });
  }
  if (step.existing === 'leave') {
    return endStep(deps, held, { state: 'skipped', reason: 'existing_record_left_alone', record });
  }
  const unedited = withoutEdited(record.fields, fields, body.onlyWhere);
  if (Object.keys(unedited).length < 1 && Object.keys(fields).length > 0) {
    return endStep(deps, held, { state: 'skipped', reason: 'edited_since', record });
  }
  const changes = decideChanges(record.fields, unedited, step.existing);
  if (Object.keys(changes).length > 0) {
    return sendUpdate(deps, held, { record, fields: changes });
  }
  // an earlier try of unknown end turns out to have been carried out
  return step.sent_effect === 'updated'
    ? endStep(deps, held, {
        state: 'applied',
        effect: 'updated',
        record,
        changedKeys: step.changed_keys,
      })
    : endStep(deps, held, { state: 'no_change', reason: 'nothing_to_change', record });
}
