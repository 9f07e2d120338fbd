import type { ApiRequest, Handlers } from '../http/api-request.ts';
import { readLimit } from '../http/paging.ts';
import { notFound, refused } from '../http/problem.ts';
import { page, type Reply } from '../http/reply.ts';
import type { RecordEntity } from '../records/entities.ts';
import { readId } from '../records/handlers.ts';
import { findRecordRow } from '../records/store.ts';
import type { World } from '../world.ts';

/** What happened to a record, the newest first. */
export const changelogHandlers: Handlers = {
  'v1 getPersonChangelog': (request, world) => listChanges('person', request, world),
  'v1 getOrganizationChangelog': (request, world) => listChanges('organization', request, world),
  'v1 getDealChangelog': (request, world) => listChanges('deal', request, world),
};

function listChanges(entity: RecordEntity, request: ApiRequest, { db }: World): Reply {
  const id = readId(request);
  if (findRecordRow(db, entity, id) === undefined) throw notFound();
  const limit = readLimit(request.query);
  const rows = db.list<{ id: number; data: string }>(
    `select id, data from change_log where entity = ? and record_id = ? and id < ?
     order by id desc limit ?`,
    entity,
    id,
    readCursor(request.query),
    limit + 1,
  );
  const lines = rows.slice(0, limit);
  const last = lines.at(-1);
  return page(
    lines.map(({ data }) => data),
    last !== undefined && rows.length > limit ? cursorOf(last.id) : null,
  );
}

/** v1's cursors name the line they stand at. */
function cursorOf(id: number): string {
  return Buffer.from(`id:${id}`).toString('base64');
}

function readCursor(query: URLSearchParams): number {
  const text = query.get('cursor');
  if (text === null) return Number.MAX_SAFE_INTEGER;
  const [, id] = /^id:(\d{1,15})$/.exec(Buffer.from(text, 'base64').toString('utf8')) ?? [];
  if (id === undefined) throw refused(400, 'Invalid cursor');
  return Number(id);
}
