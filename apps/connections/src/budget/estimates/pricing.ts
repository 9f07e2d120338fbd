import type { PipedriveObject } from '@manifold/contracts';
import {
  fieldOperations,
  listFieldOperations,
  type OperationName,
  operations,
  type RecordObject,
  recordOperations,
} from '@manifold/pipedrive';
import { PAGE } from '../../completeness/rules.ts';
import { ownerOf } from '../../fields/creation/rules.ts';
import { isArchivable } from '../../registry/rules.ts';

export const jobs = [
  'TRACK_RECORDS',
  'VERIFY_COMPLETENESS',
  'READ_RECORDS',
  'REFRESH_FIELDS',
  'CREATE_FIELD',
  'CREATE_FIELD_OPTIONS',
] as const;
export type ApiJob = (typeof jobs)[number];

export interface Estimate {
  tokens: number | null;
  calls: number | null;
  records: number | null;
}

/** What a job takes by the price list; `tracked` is how many records are known, where somebody tracks them. */
export function estimateJob(
  job: ApiJob,
  object: Exclude<PipedriveObject, 'user'>,
  { records, tracked }: { records: number | undefined; tracked: number | undefined },
): Estimate {
  switch (job) {
    case 'TRACK_RECORDS':
    case 'VERIFY_COMPLETENESS':
      return readAll(object, records ?? tracked);
    case 'READ_RECORDS':
      return readSome(object, records ?? 1);
    case 'REFRESH_FIELDS':
      return ofCalls([listFieldOperations[object]]);
    case 'CREATE_FIELD':
      return makeOf(object, 'create');
    case 'CREATE_FIELD_OPTIONS':
      return makeOf(object, 'addOptions');
  }
}

/** Page by page, and for what can be archived a list of that as well. */
function readAll(object: RecordObject, records: number | undefined): Estimate {
  if (records === undefined) return { tokens: null, calls: null, records: null };
  const pages = Math.max(1, Math.ceil(records / PAGE)) + (isArchivable(object) ? 1 : 0);
  const { priceTokens } = operations[recordOperations[object].list];
  return { tokens: pages * priceTokens, calls: pages, records };
}

/** One by one, or in one list of up to a hundred where that is cheaper. */
function readSome(object: RecordObject, records: number): Estimate {
  const { list, get } = recordOperations[object];
  const single = records * operations[get].priceTokens;
  const lists = Math.ceil(records / IDS_AT_ONCE);
  const together = lists * operations[list].priceTokens;
  const isListed = object !== 'lead' && object !== 'note' && together < single;
  return isListed
    ? { tokens: together, calls: lists, records }
    : { tokens: single, calls: records, records };
}

const IDS_AT_ONCE = 100;

const ofCalls = (names: readonly OperationName[]): Estimate => ({
  tokens: names.reduce((sum, name) => sum + operations[name].priceTokens, 0),
  calls: names.length,
  records: null,
});

/** The catalogue is read first: what is to be made may be there. Leads have the fields of deals. */
function makeOf(object: RecordObject, call: 'create' | 'addOptions'): Estimate {
  const owner = ownerOf(object);
  return ofCalls(
    owner === undefined ? [] : [listFieldOperations[owner], fieldOperations[owner][call]],
  );
}
