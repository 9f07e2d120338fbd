import { noSuchField } from '../../../changes/planning/reasons/rules.ts';
import { handleFailure } from '../ending/failure.ts';
import type { Held, SendingDeps } from '../held.ts';
import type { Resolution } from './resolve.ts';
import { endStep } from '../ending/settle.ts';

/** Deals with a look-up that did not tell whether there is a record; true when that was the case. */
export async function endUnresolved(
  deps: SendingDeps,
  held: Held,
  resolution: Resolution,
): Promise<boolean> {
  switch (resolution.outcome) {
    case 'failed':
      await handleFailure(deps, held, { failure: resolution.failure, effect: undefined });
      return true;
    case 'several':
      await parkSeveral(deps, held, resolution.candidates);
      return true;
    case 'index_needed':
      await endStep(deps, held, {
        state: 'parked',
        reason: 'index_needed',
        cause: `Pipedrive cannot search for a ${held.step.object} by ${nameOf(resolution.key)}.`,
        fix: 'Have an index of that field made, wait until it is complete, then use redrive.',
      });
      return true;
    case 'unknown_field':
      await endStep(deps, held, {
        state: 'parked',
        reason: 'unknown_field',
        cause: noSuchField(resolution.field).cause,
        fix: 'Cancel the write, and write it anew with the code of a field that `pipedriveFields` lists; if the field is new, refresh the fields of the connection and use redrive.',
      });
      return true;
    case 'found':
    case 'absent':
    case 'gone':
      return false;
  }
}

const nameOf = (key: Extract<Resolution, { outcome: 'index_needed' }>['key']): string =>
  'field' in key ? `the field ${key.field}` : key.kind;

export const parkSeveral = (deps: SendingDeps, held: Held, candidates: string[]): Promise<void> =>
  endStep(deps, held, {
    state: 'parked',
    reason: 'several_matches',
    cause: `${candidates.length} records in Pipedrive have this identity.`,
    fix: 'Merge the candidates in Pipedrive, then use redrive.',
    candidates,
  });
