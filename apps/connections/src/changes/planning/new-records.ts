import {
  fieldOperations,
  listFieldOperations,
  operations,
  recordOperations,
} from '@manifold/pipedrive';
import {
  decideField,
  type ExternalIdObject,
  isExternalIdObject,
} from '../../fields/external-id/rules.ts';
import { findExternalIdField } from '../../fields/external-id/store.ts';
import type { Db } from '../../store.ts';
import type { ObjectTally } from '../rows/store.ts';
import type { ChangeSet } from '../store.ts';
import { completeRegistries } from './parts.ts';

/**
 * What the new records of a set take together: the fields that mark them as ours, where somebody agreed
 * to those and they are not there yet, and one look at what came into an index since the plan.
 */
export async function priceNewRecords(
  tx: Db,
  set: ChangeSet,
  { tallies, now }: { tallies: readonly ObjectTally[]; now: Date },
): Promise<{ tokens: number; makesFields: ExternalIdObject[] }> {
  const making = tallies.filter(({ creates }) => creates > 0).map(({ object }) => object);
  if (making.length === 0) return { tokens: 0, makesFields: [] };
  const indexed = await completeRegistries(tx, set);
  const makesFields: ExternalIdObject[] = [];
  let tokens = 0;
  for (const object of making) {
    if (object !== 'user' && indexed.has(object)) {
      tokens += operations[recordOperations[object].list].priceTokens;
    }
    if (!isExternalIdObject(object)) continue;
    const field = await findExternalIdField(tx, { companyId: set.company_id, object });
    if (decideField(field, now).outcome !== 'make') continue;
    makesFields.push(object);
    // the catalogue is read first: it may be there already
    tokens += operations[listFieldOperations[object]].priceTokens;
    tokens += operations[fieldOperations[object].create].priceTokens;
  }
  return { tokens, makesFields };
}
