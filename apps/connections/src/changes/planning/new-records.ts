import {
  fieldOperations,
  listFieldOperations,
  operations,
  recordOperations,
} from '@manifold/pipedrive';
import { decideField, isExternalIdObject } from '../../fields/external-id/rules.ts';
import { findExternalIdField } from '../../fields/external-id/store.ts';
import type { Db } from '../../store.ts';
import type { ObjectTally } from '../rows/store.ts';
import type { ChangeSet } from '../store.ts';
import { completeRegistries } from './parts.ts';

/**
 * What the new records of a set take together: the fields that mark them as ours, where somebody agreed
 * to those and they are not there yet, and one look at what came into an index since the plan.
 */
export async function newRecordTokens(
  tx: Db,
  set: ChangeSet,
  { tallies, now }: { tallies: readonly ObjectTally[]; now: Date },
): Promise<number> {
  const making = tallies.filter(({ creates }) => creates > 0);
  if (making.length === 0) return 0;
  const indexed = await completeRegistries(tx, set);
  let tokens = 0;
  for (const { object } of making) {
    if (object !== 'user' && indexed.has(object)) {
      tokens += operations[recordOperations[object].list].priceTokens;
    }
    tokens += await fieldTokens(tx, { set, object, now });
  }
  return tokens;
}

async function fieldTokens(
  tx: Db,
  { set, object, now }: { set: ChangeSet; object: ObjectTally['object']; now: Date },
): Promise<number> {
  if (!isExternalIdObject(object)) return 0;
  const field = await findExternalIdField(tx, { companyId: set.company_id, object });
  if (decideField(field, now).outcome !== 'make') return 0;
  // the catalogue is read first: it may be there already
  const { create } = fieldOperations[object];
  return operations[listFieldOperations[object]].priceTokens + operations[create].priceTokens;
}
