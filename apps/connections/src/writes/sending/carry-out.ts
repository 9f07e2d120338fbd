import type { FieldValue } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { openBody, sealBody } from '../body.ts';
import { decideChanges } from '../diff/rules.ts';
import { referencesOf } from '../progress.ts';
import { canCoalesce, coalesce, moreUrgent } from '../rules.ts';
import { handleFailure } from './failure.ts';
import type { Held, SendingDeps } from './held.ts';
import { type Resolution, resolve } from './resolve.ts';
import { sendCreate, sendDelete, sendUpdate } from './send.ts';
import { endStep } from './settle.ts';
import { changeIdleStep, lockFollower } from './store.ts';

type Fields = Record<string, FieldValue>;

/** Carries out a step whose turn it is: finds the record, compares, and sends what differs. */
export async function carryOut(deps: SendingDeps, held: Held): Promise<void> {
  if (await handedOver(deps, held)) {
    return endStep(deps, held, { state: 'superseded', reason: 'superseded_by_newer' });
  }
  const fields = { ...held.body.fields, ...referencedIds(held) };
  const resolution = await resolve(deps, held);
  switch (resolution.outcome) {
    case 'failed':
      await handleFailure(deps, held, { failure: resolution.failure, effect: undefined });
      return;
    case 'several':
      return parkSeveral(deps, held, resolution.candidates);
    case 'gone':
      return endAbsent(deps, held, fields, true);
    case 'absent':
      return endAbsent(deps, held, fields, false);
    case 'found':
      return endFound(deps, held, { fields, found: resolution });
  }
}

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

/** Gives the step's wishes to the next one on the same record, where one call can do for both. */
async function handedOver(deps: SendingDeps, held: Held): Promise<boolean> {
  const { step, steps, body } = held;
  const isLast = step.position === steps.length - 1;
  if (!isLast || step.sent_at !== null) return false;
  return withWorkspace(deps.db, step.workspace_id, async (tx) => {
    const newer = await lockFollower(tx, step);
    const older = { ...step, isLast };
    if (!newer || !canCoalesce(older, newer, deps.now())) return false;
    const own = { ...body, fields: { ...body.fields, ...referencedIds(held) } };
    const joined = coalesce(own, openBody(deps.vault, newer), step.existing);
    return changeIdleStep(tx, newer.id, {
      sealed_body: sealBody(deps.vault, newer, joined),
      lane: moreUrgent(step.lane, newer.lane),
    });
  });
}

async function endAbsent(
  deps: SendingDeps,
  held: Held,
  fields: Fields,
  knownById: boolean,
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
    case 'upsert':
    case 'create':
      if (!knownById) return sendCreate(deps, held, fields);
      return endStep(deps, held, {
        state: 'parked',
        reason: 'record_gone',
        cause: 'The record this write names by its id is no longer in Pipedrive.',
        fix: 'Restore the record in Pipedrive and use redrive, or cancel the write.',
      });
    case 'merge':
      throw new Error(`Step ${step.id} is a merge, which is refused when it is asked for`);
  }
}

async function endFound(
  deps: SendingDeps,
  held: Held,
  { fields, found }: { fields: Fields; found: Extract<Resolution, { outcome: 'found' }> },
): Promise<void> {
  const { step } = held;
  const { record } = found;
  if (step.operation === 'delete') return sendDelete(deps, held, record);
  if (step.operation === 'link') {
    return endStep(deps, held, { state: 'applied', effect: 'linked', record });
  }
  if (step.existing === 'leave') {
    return endStep(deps, held, { state: 'skipped', reason: 'existing_record_left_alone', record });
  }
  const changes = decideChanges(record.fields, fields, step.existing);
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

export const parkSeveral = (deps: SendingDeps, held: Held, candidates: string[]): Promise<void> =>
  endStep(deps, held, {
    state: 'parked',
    reason: 'several_matches',
    cause: `${candidates.length} records in Pipedrive have this identity.`,
    fix: 'Merge the candidates in Pipedrive, then use redrive.',
    candidates,
  });
