import { z } from 'zod';
import type { Call } from '../calling/call.ts';
import type { OperationName } from '../operations.ts';
import type { Outcome } from '../calling/outcomes.ts';

/** Which operation merges two records of an object; only these can be merged. */
export const mergeOperations = {
  person: 'mergePersons',
  organization: 'mergeOrganizations',
  deal: 'mergeDeals',
} as const satisfies Record<string, OperationName>;

export type MergeableObject = keyof typeof mergeOperations;

/** Pipedrive names them the other way round: the record in the address is the one that disappears. */
export interface Merge {
  loserId: string;
  /** Its values win; its empty fields are filled from the other one. */
  survivorId: string;
}

export interface Merging {
  /** Cannot be undone. Answers with the id of the record that stays. */
  mergeRecords: (object: MergeableObject, merge: Merge) => Promise<Outcome<{ id: string }>>;
}

const survivor = z.object({ id: z.union([z.number(), z.string()]).transform(String) });

export const createMerging = (call: Call): Merging => ({
  mergeRecords: (object, { loserId, survivorId }) => {
    if (loserId === survivorId) throw new RangeError('a record is not merged with itself');
    return call(mergeOperations[object], {
      path: { id: loserId },
      body: { merge_with_id: Number(survivorId) },
      read: (data) => ({ id: survivor.parse(data).id }),
    });
  },
});
