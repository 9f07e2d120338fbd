import type { PipedriveRecord } from '@manifold/contracts';
import { type Failure, isListedByIds, type Outcome } from '@manifold/pipedrive';
import { joinPage } from '../../registry/paging/rules.ts';
import { isTrackable } from '../../registry/rules.ts';
import { PAGE } from '../rules.ts';
import type { Certificate } from '../tables.ts';

/** What a page of everything adds to the pages before it. */
export type Joined =
  | { outcome: 'joined'; records: readonly PipedriveRecord[]; nextCursor: string | undefined }
  | { outcome: 'shifted'; nextCursor: string }
  | { outcome: 'disordered'; failure: Failure };

const DISORDERED: Failure = {
  outcome: 'refused',
  status: 200,
  message: 'a list that is not in the order of its ids',
};

/** Lists that have cursors stay in place while they are read; those by offset shift. */
export function joinListed(
  { object, cursor, last_id }: Pick<Certificate, 'object' | 'cursor' | 'last_id'>,
  listed: Extract<Outcome<PipedriveRecord[]>, { outcome: 'ok' }>,
): Joined {
  const { data: records, nextCursor } = listed;
  if (!isTrackable(object) || isListedByIds(object)) {
    return { outcome: 'joined', records, nextCursor };
  }
  const start = Number(cursor ?? 0);
  const joining = joinPage(records, { start, lastId: last_id, limit: PAGE });
  switch (joining.outcome) {
    case 'joined': {
      const next = nextCursor === undefined ? undefined : String(joining.nextStart);
      return { outcome: 'joined', records: joining.records, nextCursor: next };
    }
    case 'shifted':
      return { outcome: 'shifted', nextCursor: String(joining.nextStart) };
    case 'disordered':
      return { outcome: 'disordered', failure: DISORDERED };
  }
}
