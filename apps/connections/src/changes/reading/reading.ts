import type { PipedriveObject, PipedriveRecord } from '@manifold/contracts';
import { type Failure, operations, recordOperations, type RecordObject } from '@manifold/pipedrive';
import { isAbsent } from '../../writes/sending/rules.ts';
import type { Work } from '../work.ts';

const IDS_AT_ONCE = 100;
const CUSTOM_FIELD = /^[0-9a-f]{40}$/;

export type Read = { records: Map<string, PipedriveRecord> } | { failure: Failure };

/** Tokens that reading so many records of an object takes. */
export function readingTokens(object: RecordObject, records: number): number {
  const { list, get } = recordOperations[object];
  const single = records * operations[get].priceTokens;
  const together = Math.ceil(records / IDS_AT_ONCE) * operations[list].priceTokens;
  return isListedByIds(object) ? Math.min(single, together) : single;
}

/** The living records of these ids, a hundred at a time where Pipedrive can; `codes` are the fields of interest. */
export async function readRecords(
  work: Work,
  object: PipedriveObject,
  { ids, codes }: { ids: readonly string[]; codes: readonly string[] },
): Promise<Read> {
  const distinct = [...new Set(ids)];
  if (object === 'user' || distinct.length === 0) return { records: new Map() };
  const { list, get } = recordOperations[object];
  const isWorthIt = operations[list].priceTokens < operations[get].priceTokens * distinct.length;
  return isListedByIds(object) && isWorthIt
    ? listAll(work, object, { ids: distinct.filter((id) => /^\d+$/.test(id)), codes })
    : getAll(work, object, distinct);
}

type ListedByIds = Exclude<RecordObject, 'lead' | 'note'>;

const isListedByIds = (object: RecordObject): object is ListedByIds =>
  object !== 'lead' && object !== 'note';

async function listAll(
  { client, fieldsOf }: Work,
  object: ListedByIds,
  { ids, codes }: { ids: readonly string[]; codes: readonly string[] },
): Promise<Read> {
  const records = new Map<string, PipedriveRecord>();
  const definitions = await fieldsOf(object);
  const customFields = [...new Set(codes)].filter((code) => CUSTOM_FIELD.test(code));
  for (let start = 0; start < ids.length; start += IDS_AT_ONCE) {
    const page = ids.slice(start, start + IDS_AT_ONCE);
    const outcome = await client.listRecords(object, {
      ids: page,
      limit: IDS_AT_ONCE,
      customFields,
      definitions,
    });
    if (outcome.outcome !== 'ok') return { failure: outcome };
    for (const record of outcome.data) if (!record.deleted) records.set(record.id, record);
  }
  return { records };
}

async function getAll(
  { client, fieldsOf }: Work,
  object: RecordObject,
  ids: readonly string[],
): Promise<Read> {
  const records = new Map<string, PipedriveRecord>();
  const definitions = await fieldsOf(object);
  for (const id of ids) {
    const outcome = await client.getRecord(object, id, { definitions });
    if (outcome.outcome === 'ok') {
      if (!outcome.data.deleted) records.set(id, outcome.data);
    } else if (!isAbsent(outcome)) return { failure: outcome };
  }
  return { records };
}
