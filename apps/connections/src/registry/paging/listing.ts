import type { PipedriveRecord } from '@manifold/contracts';
import {
  isListedByIds,
  type ListOptions,
  type Outcome,
  type PipedriveClient,
  type RecordObject,
} from '@manifold/pipedrive';
import { placeAfterPage, readPlace, writePlace } from './rules.ts';

/** One page of what changed since then, in the order of change, whatever way the object is paged. */
export async function listChanged(
  client: PipedriveClient,
  object: RecordObject,
  asked: Pick<ListOptions, 'definitions' | 'customFields' | 'limit'> & {
    since: Date;
    cursor: string | undefined;
  },
): Promise<Outcome<PipedriveRecord[]>> {
  const { since, cursor, ...options } = asked;
  const sortBy = 'update_time' as const;
  // the lists that can name ids have cursors of their own, the others offsets
  if (isListedByIds(object)) {
    return client.listRecords(object, { ...options, updatedSince: since, sortBy, cursor });
  }
  const place = (cursor === undefined ? undefined : readPlace(cursor)) ?? { since, start: 0 };
  const listed = await client.listRecords(object, {
    ...options,
    ...{ updatedSince: place.since, sortBy, cursor: String(place.start) },
  });
  if (listed.outcome !== 'ok' || listed.nextCursor === undefined) return listed;
  const { data } = listed;
  const last = data.at(-1);
  const lastTime = new Date(last?.updateTime ?? last?.addTime ?? place.since);
  const next = placeAfterPage(place, { length: data.length, lastTime });
  return { outcome: 'ok', data, nextCursor: writePlace(next) };
}
