import type { ApiRequest } from '../http/api-request.ts';
import { nextCursor, readCursor, readLimit } from '../http/paging.ts';
import { invalidKey, refused } from '../http/problem.ts';
import { page, type Reply } from '../http/reply.ts';
import { readWholeSeconds, wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';
import { COLUMNS, type RecordEntity, TEXT_COLUMNS } from './entities.ts';
import { type ListFilter, listRecordRows } from './store.ts';
import { readView, recordText } from './view.ts';

/** A page of records; `always` are conditions of the list itself. */
export function listRecords(
  entity: RecordEntity,
  { query }: ApiRequest,
  world: World,
  always: ListFilter['equal'] = [],
): Reply {
  const view = readView(query);
  const filter = readFilter(entity, query, always);
  const rows = listRecordRows(world.db, entity, { ...filter, limit: filter.limit + 1 });
  const shown = rows.slice(0, filter.limit);
  const last = shown.at(-1);
  const more = last !== undefined && rows.length > filter.limit;
  return page(
    shown.map((row) => recordText(entity, row, view, world)),
    more ? nextCursor({ field: filter.sortBy, value: last.sort, id: last.id }) : null,
  );
}

function readFilter(
  entity: RecordEntity,
  query: URLSearchParams,
  always: ListFilter['equal'],
): ListFilter {
  if (query.has('filter_id')) throw refused(400, 'Filter not found');
  // the parameter itself has been checked against the published list
  const sortBy = query.get('sort_by') ?? 'id';
  const after = readCursor(query, sortBy);
  const ids = readIds(query.get('ids'));
  const statuses = query.get('status')?.split(',');
  const dealId = entity === 'person' ? query.get('deal_id') : null;
  const updatedSince = readTime(query.get('updated_since'));
  const updatedUntil = readTime(query.get('updated_until'));
  return {
    equal: [...always, ...readEqual(entity, query)],
    sortBy,
    descending: query.get('sort_direction') === 'desc',
    limit: readLimit(query),
    ...(after === undefined ? {} : { after }),
    ...(ids === undefined ? {} : { ids }),
    ...(statuses === undefined ? {} : { statuses }),
    ...(dealId === null ? {} : { dealId: Number(dealId) }),
    ...(updatedSince === undefined ? {} : { updatedSince }),
    ...(updatedUntil === undefined ? {} : { updatedUntil }),
  };
}

/** Parameters named like a column ask for that value; `status` may ask for several. */
function readEqual(entity: RecordEntity, query: URLSearchParams): ListFilter['equal'] {
  return COLUMNS[entity].flatMap((column): ListFilter['equal'] => {
    const text = query.get(column);
    if (text === null || column === 'status') return [];
    if (TEXT_COLUMNS.has(column)) return [[column, text]];
    if (text === 'true' || text === 'false') return [[column, text === 'true' ? 1 : 0]];
    return [[column, Number(text)]];
  });
}

function readIds(text: string | null): number[] | undefined {
  if (text === null) return undefined;
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length > 100) throw invalidKey('ids', 'Array must contain at most 100 element(s)');
  if (!parts.every((part) => /^\d{1,15}$/.test(part))) throw invalidKey('ids', 'Expected numbers');
  return parts.map(Number);
}

function readTime(text: string | null): string | undefined {
  const at = text === null ? undefined : readWholeSeconds(text);
  return at && wholeSeconds(at);
}
