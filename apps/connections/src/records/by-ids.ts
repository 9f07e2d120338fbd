import type { FieldDefinition, PipedriveRecord } from '@manifold/contracts';
import {
  isListedByIds,
  type ListedByIds,
  type OperationName,
  operations,
  type Outcome,
  type PipedriveClient,
  type RecordObject,
  recordOperations,
} from '@manifold/pipedrive';

/** Which parts of which records; without definitions custom values are read by their shape. */
export interface Selection {
  ids: readonly string[];
  definitions: readonly FieldDefinition[];
  customFields: readonly string[];
  includeFields: readonly string[] | undefined;
}

/** One list costs as much as ten records read one by one. */
const LIST_FROM = 10;
/** The window of 2 s is not of one reader alone. */
const AT_ONCE = 5;
/** Leads and notes are only read one by one; more would not fit the window of the smallest plan. */
export const MOST_ONE_BY_ONE = 20;

/** Gone, and invisible to the connection's user. */
const LEFT_OUT = [404, 403];

const isListed = (object: RecordObject, ids: readonly string[]): object is ListedByIds =>
  ids.length >= LIST_FROM && isListedByIds(object);

/** The cheaper way to these records. What is gone or invisible is left out. */
export async function readByIds(
  client: PipedriveClient,
  object: RecordObject,
  { ids, ...selection }: Selection,
): Promise<Outcome<PipedriveRecord[]>> {
  if (isListed(object, ids)) {
    // one page holds them all
    return client.listRecords(object, { ...selection, ids, limit: 500 });
  }
  const records: PipedriveRecord[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const some = ids.slice(from, from + AT_ONCE);
    const outcomes = await Promise.all(some.map((id) => client.getRecord(object, id, selection)));
    for (const outcome of outcomes) {
      if (outcome.outcome === 'ok') records.push(outcome.data);
      else if (outcome.outcome !== 'refused' || !LEFT_OUT.includes(outcome.status)) return outcome;
    }
  }
  return { outcome: 'ok', data: records };
}

/** What reading these records costs. */
export function priceOf(object: RecordObject, ids: readonly string[]): number {
  const { list, get } = recordOperations[object];
  const price = (name: OperationName) => operations[name].priceTokens;
  return isListed(object, ids) ? price(list) : price(get) * ids.length;
}
