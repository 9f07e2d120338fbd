import { withWorkspace } from '@manifold/database';
import { findMisfit } from '../../../changes/values/rules.ts';
import { findCatalogue } from '../../../fields/store.ts';
import type { Held, SendingDeps } from '../held.ts';
import { endStep } from '../ending/settle.ts';

const ANEW =
  'This write keeps the value it has: cancel it and write it anew, or use redrive once the field takes it.';

/**
 * Parks a step with a value the catalogue says Pipedrive must refuse, before anything is asked of
 * Pipedrive. False: there is none, or the catalogue is out of date.
 */
export async function endMisfit(deps: SendingDeps, held: Held): Promise<boolean> {
  const { step, body, definitions } = held;
  // what may have been carried out is looked for, whatever its fields are by now
  if (definitions.length === 0 || step.sent_at !== null) return false;
  const catalogue = new Map(definitions.map((field) => [field.code, field]));
  const misfit = findMisfit({ ...body, existing: step.existing }, catalogue);
  if (misfit === undefined || (await isOutOfDate(deps, held))) return false;
  const { reason, cause, fix } = misfit;
  await endStep(deps, held, { state: 'parked', reason, cause, fix: `${fix} ${ANEW}` });
  return true;
}

/** True for a field the object of a step does not have, as far as the catalogue tells. */
export async function isUnknownField(
  deps: SendingDeps,
  held: Held,
  code: string,
): Promise<boolean> {
  const { definitions } = held;
  if (definitions.length === 0 || definitions.some((field) => field.code === code)) return false;
  return !(await isOutOfDate(deps, held));
}

/** A field it lacks may have been made meanwhile. */
const isOutOfDate = ({ db }: SendingDeps, { step }: Held): Promise<boolean> =>
  withWorkspace(db, step.workspace_id, async (tx) => {
    const catalogue = await findCatalogue(tx, step.connection_id, step.object);
    return catalogue?.is_stale ?? true;
  });
