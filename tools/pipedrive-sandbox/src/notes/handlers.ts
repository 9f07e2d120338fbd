import type { ApiRequest, Handlers } from '../http/api-request.ts';
import { olderFieldPage } from '../fields/older-shape.ts';
import { readStart } from '../http/paging.ts';
import { refused } from '../http/problem.ts';
import { data, numberedPage, type Reply } from '../http/reply.ts';
import { type Json, type JsonObject, textOf } from '../json.ts';
import { findLead } from '../leads/store.ts';
import type { RecordEntity } from '../records/entities.ts';
import { findRecordRow, readRecord } from '../records/store.ts';
import { readWholeSeconds, spacedTime } from '../times.ts';
import { findUser } from '../users/users.ts';
import type { World } from '../world.ts';
import { findNote, listNotes, type NoteFilter } from './store.ts';
import { changeNote, createNote, deleteNote } from './write.ts';

/** Notes, which exist in v1 only. */
export const noteHandlers: Handlers = {
  'v1 getNotes': notePage,
  'v1 getNote': (request, world) => data(noteJson(requireNote(request, world), request, world)),
  'v1 addNote': (request, world) => data(noteJson(createNote(request, world), request, world)),
  'v1 updateNote': (request, world) => {
    const note = changeNote(requireNote(request, world), request, world);
    return data(noteJson(note, request, world));
  },
  'v1 deleteNote': (request, world) => {
    deleteNote(requireNote(request, world), request, world);
    return data(true);
  },
  'v1 getNoteFields': ({ query }, world) => olderFieldPage(world.fields.list('note'), query),
};

function requireNote({ params }: ApiRequest, { db }: World): JsonObject {
  const note = findNote(db, Number(params.id));
  if (note === undefined) throw refused(404, 'Note not found');
  return note;
}

const EQUAL = ['user_id', 'deal_id', 'person_id', 'org_id', 'lead_id'];
const PINS = [
  'pinned_to_lead_flag',
  'pinned_to_deal_flag',
  'pinned_to_organization_flag',
  'pinned_to_person_flag',
];

function notePage(request: ApiRequest, world: World): Reply {
  const { query } = request;
  const { start, limit } = readStart(query);
  const since = readWholeSeconds(query.get('updated_since') ?? '');
  const [from, until] = [query.get('start_date'), query.get('end_date')];
  const found = listNotes(world.db, {
    equal: readEqual(query),
    ...(since === undefined ? {} : { updatedSince: spacedTime(since) }),
    ...(from === null ? {} : { addedFrom: from }),
    ...(until === null ? {} : { addedUntil: `${until} 23:59:59` }),
    sort: readSort(query.get('sort')),
    start,
    limit: limit + 1,
  });
  const items = found.slice(0, limit).map((note) => noteJson(note, request, world));
  return numberedPage(items, { start, limit, more: found.length > limit });
}

function readEqual(query: URLSearchParams): NoteFilter['equal'] {
  const given = (keys: string[]) => keys.filter((key) => query.has(key));
  return [
    ...given(EQUAL).map((key): [string, number | string] => {
      const text = query.get(key) ?? '';
      return [key, key === 'lead_id' ? text : Number(text)];
    }),
    ...given(PINS).map((key): [string, number] => [
      `json_extract(base, '$.${key}')`,
      Number(query.get(key)),
    ]),
  ];
}

/** `add_time DESC`, comma separated. */
function readSort(text: string | null): string {
  const parts = (text ?? '').split(',').flatMap((part) => {
    const [, column, direction = 'asc'] =
      /^\s*(id|user_id|deal_id|person_id|org_id|add_time|update_time)(?:\s+(asc|desc))?\s*$/i.exec(
        part,
      ) ?? [];
    return column === undefined ? [] : [`${column.toLowerCase()} ${direction}`];
  });
  return [...parts, 'id'].join(', ');
}

/** A note with the names of what it hangs on. */
function noteJson(note: JsonObject, { actor }: ApiRequest, world: World): JsonObject {
  const user = findUser(world.db, Number(note.user_id));
  const lead = typeof note.lead_id === 'string' ? findLead(world.db, note.lead_id) : undefined;
  return {
    ...note,
    deal: named('deal', note.deal_id, 'title', world),
    lead: lead === undefined ? null : { title: textOf(lead.base.title) },
    organization: named('organization', note.org_id, 'name', world),
    person: named('person', note.person_id, 'name', world),
    user: {
      email: user?.email ?? null,
      icon_url: null,
      is_you: user?.id === actor.user.id,
      name: user?.name ?? null,
    },
  };
}

function named(
  entity: RecordEntity,
  id: Json | undefined,
  key: 'name' | 'title',
  { db }: World,
): JsonObject | null {
  const row = typeof id === 'number' ? findRecordRow(db, entity, id) : undefined;
  return row === undefined ? null : { [key]: textOf(readRecord(row).base[key]) };
}
