import type { FieldValue, PipedriveRecord } from '@manifold/contracts';
import { unwritableFields } from '@manifold/pipedrive';
import type { Held, SendingDeps } from '../held.ts';
import { endStep } from './settle.ts';

/** Parks a step with a value that cannot be written; sending the rest would hide it. False: all can be. */
export async function endUnwritable(
  deps: SendingDeps,
  held: Held,
  { fields, record }: { fields: Record<string, FieldValue>; record?: PipedriveRecord },
): Promise<boolean> {
  const [field] = unwritableFields(held.step.object, fields, record);
  if (field === undefined) return false;
  await endStep(deps, held, {
    state: 'parked',
    reason: 'field_type_mismatch',
    cause: `The value of the field ${field} cannot be written to Pipedrive as it is: only Pipedrive sets the field, a price has no currency, or other entries of the same list would be lost.`,
    fix: 'Cancel the write, and write it again with a value that fits or without the field.',
  });
  return true;
}
