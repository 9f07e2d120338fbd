import { referencesOf } from '../../progress.ts';
import { endStep } from '../ending/settle.ts';
import type { Held, SendingDeps } from '../held.ts';
import { isOutOfTurn } from '../turns/waiting.ts';
import { endUnresolved } from '../resolving/unresolved.ts';
import { type Resolution, resolve, resolveRecord } from '../resolving/resolve.ts';
import { sendMerge } from '../send.ts';

/** Makes one record of two, after a look at both; a merge of unknown end is known by them too. */
export async function carryOutMerge(deps: SendingDeps, held: Held): Promise<void> {
  const survivor = await resolveSurvivor(deps, held);
  if (await endUnresolved(deps, held, survivor)) return;
  if (survivor.outcome !== 'found') return parkWithoutSurvivor(deps, held);
  const loser = await resolve(deps, held);
  if (await endUnresolved(deps, held, loser)) return;
  const { record } = survivor;
  const both = loser.outcome === 'found' ? [record, loser.record] : [record];
  if (await isOutOfTurn(deps, held, both)) return;
  if (loser.outcome === 'found' && loser.record.id !== record.id) {
    return sendMerge(deps, held, { loser: loser.record, survivor: record });
  }
  // ours, when an earlier try of unknown end did it
  if (held.step.sent_effect === 'merged') {
    return endStep(deps, held, { state: 'applied', effect: 'merged', record });
  }
  return loser.outcome === 'found'
    ? endStep(deps, held, { state: 'no_change', reason: 'nothing_to_change', record })
    : endStep(deps, held, { state: 'skipped', reason: 'record_not_found' });
}

/** The record that stays: an earlier step's, or the one its keys mean. */
async function resolveSurvivor(deps: SendingDeps, held: Held): Promise<Resolution> {
  const { step, steps, body } = held;
  const name = referencesOf(step)['survivor'];
  const id = steps.find((earlier) => earlier.name === name)?.pipedrive_id;
  const identity =
    id === null || id === undefined
      ? body.survivor
      : [{ kind: 'pipedrive_id' as const, value: id }];
  return resolveRecord(deps, held, { identity, keyHashes: step.survivor_hashes, searches: true });
}

const parkWithoutSurvivor = (deps: SendingDeps, held: Held): Promise<void> =>
  endStep(deps, held, {
    state: 'parked',
    reason: 'record_not_found',
    cause: 'The record that should stay is not in Pipedrive.',
    fix: 'Restore it in Pipedrive and use redrive, or cancel the write.',
  });
