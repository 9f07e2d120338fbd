import type { ApiRequest, Handler, Handlers } from '../http/api-request.ts';
import { type Cursor, nextCursor, readCursor, readLimit } from '../http/paging.ts';
import { invalidKey, notFound, refused } from '../http/problem.ts';
import { data, page, type Reply } from '../http/reply.ts';
import { readWholeSeconds, wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';
import type { RecordEntity } from './record.ts';
import { findRecordRow, type ListFilter, listRecordRows, type RecordRow } from './store.ts';
import { readView, recordText } from './view.ts';
import { changeRecord, createRecord, deleteRecord } from './write.ts';

/** Persons and organizations of v2. */
export const recordHandlers: Handlers = {
  ...handlersOf('person', 'Person', 'Persons'),
  ...handlersOf('organization', 'Organization', 'Organizations'),
};

function handlersOf(entity: RecordEntity, one: string, many: string): Record<string, Handler> {
  return {
    [`v2 get${many}`]: (request, world) => listRecords(entity, request, world),
    [`v2 get${one}`]: (request, world) => getRecord(entity, request, world),
    [`v2 add${one}`]: (request, world) => {
      return served(entity, createRecord(entity, request, world), request, world);
    },
    [`v2 update${one}`]: (request, world) => {
      const id = readId(request);
      return served(entity, changeRecord(entity, id, request, world), request, world);
    },
    [`v2 delete${one}`]: (request, world) => {
      const id = readId(request);
      deleteRecord(entity, id, request, world);
      return data({ id });
    },
  };
}

function getRecord(entity: RecordEntity, request: ApiRequest, world: World): Reply {
  return served(entity, readId(request), request, world);
}

function served(entity: RecordEntity, id: number, request: ApiRequest, world: World): Reply {
  const row = findRecordRow(world.db, entity, id);
  if (row === undefined) throw notFound();
  const text = recordText(entity, row, readView(request.query), world);
  return {
    status: 200,
    contentType: 'application/json; charset=utf-8',
    body: `{"success":true,"data":${text}}`,
  };
}

function readId({ params }: ApiRequest): number {
  const id = params.id ?? '';
  if (!/^\d{1,15}$/.test(id)) throw invalidKey('id', 'Expected number, received string');
  return Number(id);
}

function listRecords(entity: RecordEntity, { query }: ApiRequest, world: World): Reply {
  const view = readView(query);
  const filter = readFilter(query);
  // no deal exists here, so no person is linked to one
  const rows = query.has('deal_id')
    ? []
    : listRecordRows(world.db, entity, { ...filter, limit: filter.limit + 1 });
  const shown = rows.slice(0, filter.limit);
  const last = shown.at(-1);
  const more = last !== undefined && rows.length > filter.limit;
  return page(
    shown.map((row) => recordText(entity, row, view, world)),
    more ? nextCursor(cursorAt(last, filter.sortBy)) : null,
  );
}

function cursorAt(row: RecordRow, field: ListFilter['sortBy']): Cursor {
  return { field, value: row[field], id: row.id };
}

function readFilter(query: URLSearchParams): ListFilter {
  if (query.has('filter_id')) throw refused(400, 'Filter not found');
  const sortBy = readSort(query.get('sort_by'));
  const after = readCursor(query, sortBy);
  const ids = readIds(query.get('ids'));
  const ownerId = readNumber(query.get('owner_id'));
  const orgId = readNumber(query.get('org_id'));
  const updatedSince = readTime(query.get('updated_since'));
  const updatedUntil = readTime(query.get('updated_until'));
  return {
    sortBy,
    descending: query.get('sort_direction') === 'desc',
    limit: readLimit(query),
    ...(after === undefined ? {} : { after }),
    ...(ids === undefined ? {} : { ids }),
    ...(ownerId === undefined ? {} : { ownerId }),
    ...(orgId === undefined ? {} : { orgId }),
    ...(updatedSince === undefined ? {} : { updatedSince }),
    ...(updatedUntil === undefined ? {} : { updatedUntil }),
  };
}

function readSort(text: string | null): ListFilter['sortBy'] {
  return text === 'update_time' || text === 'add_time' ? text : 'id';
}

function readIds(text: string | null): number[] | undefined {
  if (text === null) return undefined;
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length > 100) throw invalidKey('ids', 'Array must contain at most 100 element(s)');
  if (!parts.every((part) => /^\d{1,15}$/.test(part))) throw invalidKey('ids', 'Expected numbers');
  return parts.map(Number);
}

function readNumber(text: string | null): number | undefined {
  return text === null ? undefined : Number(text);
}

function readTime(text: string | null): string | undefined {
  const at = text === null ? undefined : readWholeSeconds(text);
  return at && wholeSeconds(at);
}
