import type { ApiRequest } from '../http/api-request.ts';
import { refused } from '../http/problem.ts';
import { isObject, type JsonObject, sameJson, textOf } from '../json.ts';
import { findBrokenLink } from '../records/kind.ts';
import { authorOf } from '../records/write.ts';
import { forgetTerms, indexTerms } from '../search/terms.ts';
import { spacedTime } from '../times.ts';
import type { Author } from '../webhooks/outbox.ts';
import { changesBetween, hookRecord } from '../webhooks/payload.ts';
import type { World } from '../world.ts';
import { cleanHtml } from './clean-html.ts';
import { nextNoteId, saveNote } from './store.ts';

const LINKS = ['lead_id', 'deal_id', 'person_id', 'org_id'];
const PINS: Record<string, string> = {
  pinned_to_lead_flag: 'lead_id',
  pinned_to_deal_flag: 'deal_id',
  pinned_to_organization_flag: 'org_id',
  pinned_to_person_flag: 'person_id',
};
const MAX_BYTES = 100_000;

export function createNote(request: ApiRequest, world: World): JsonObject {
  const { user } = request.actor;
  const time = spacedTime(world.now());
  const note = apply(emptyNote(user.id, time), request, world);
  return world.db.transaction(() => {
    note.id = nextNoteId(world.db);
    store(note, world);
    announce(world, authorOf(request), { action: 'create', before: undefined, after: note });
    return note;
  });
}

export function changeNote(before: JsonObject, request: ApiRequest, world: World): JsonObject {
  if (before.active_flag !== true) throw refused(404, 'Note not found');
  const after = apply(before, request, world);
  if (sameJson(after, before)) return before;
  after.update_time = spacedTime(world.now());
  after.last_update_user_id = request.actor.user.id;
  world.db.transaction(() => {
    store(after, world);
    announce(world, authorOf(request), { action: 'change', before, after });
  });
  return after;
}

/** The note stays readable by its id, with `active_flag` false. */
export function deleteNote(before: JsonObject, request: ApiRequest, world: World): void {
  if (before.active_flag !== true) throw refused(404, 'Note not found');
  const after = { ...before, active_flag: false, update_time: spacedTime(world.now()) };
  world.db.transaction(() => {
    saveNote(world.db, after);
    forgetTerms(world, 'note', Number(before.id));
    announce(world, authorOf(request), { action: 'delete', before: after, after: undefined });
  });
}

/** A note with nothing but its author and times. */
export function emptyNote(userId: number, time: string): JsonObject {
  return {
    id: 0,
    active_flag: true,
    add_time: time,
    content: '',
    lead_id: null,
    deal_id: null,
    last_update_user_id: null,
    org_id: null,
    person_id: null,
    project_id: null,
    pinned_to_lead_flag: false,
    pinned_to_deal_flag: false,
    pinned_to_organization_flag: false,
    pinned_to_person_flag: false,
    pinned_to_project_flag: false,
    update_time: time,
    user_id: userId,
  };
}

function apply(before: JsonObject, { body, actor }: ApiRequest, world: World): JsonObject {
  const sent = isObject(body) ? body : {};
  const note = { ...before };
  if (typeof sent.content === 'string') note.content = cleanHtml(sent.content);
  if (note.content === '') throw refused(400, 'content is required');
  if (Buffer.byteLength(textOf(note.content)) > MAX_BYTES)
    throw refused(400, 'content is too long');
  if (sent.project_id !== undefined) throw refused(400, 'project not found');
  if (sent.task_id !== undefined) throw refused(400, 'task not found');
  for (const key of LINKS) {
    const broken = findBrokenLink(world, key, sent[key]);
    if (broken !== undefined) throw refused(400, `${key}: ${broken.message}`);
    if (sent[key] !== undefined) note[key] = sent[key];
  }
  if (LINKS.every((key) => note[key] === null))
    throw refused(400, 'One of lead_id, deal_id, person_id, org_id is required');
  for (const [pin, link] of Object.entries(PINS)) {
    if (sent[pin] === undefined) continue;
    if (sent[pin] === 1 && note[link] === null) throw refused(400, `${pin} needs ${link}`);
    note[pin] = sent[pin] === 1;
  }
  if (typeof sent.user_id === 'number' && sent.user_id !== before.user_id) {
    if (!actor.user.admin) throw refused(403, 'Only an admin can change the author of a note');
    const broken = findBrokenLink(world, 'owner_id', sent.user_id);
    if (broken !== undefined) throw refused(400, 'user not found');
    note.user_id = sent.user_id;
  }
  if (sent.add_time !== undefined) note.add_time = readTime(textOf(sent.add_time));
  return note;
}

function readTime(text: string): string {
  const at = new Date(/ /.test(text) ? `${text.replace(' ', 'T')}Z` : text);
  if (Number.isNaN(at.getTime())) throw refused(400, 'add_time is not a valid datetime');
  return spacedTime(at);
}

function store(note: JsonObject, world: World): void {
  saveNote(world.db, note);
  const term = textOf(note.content);
  indexTerms(world, 'note', Number(note.id), [{ field: 'notes', term }]);
}

function announce(
  world: World,
  author: Author,
  {
    action,
    before,
    after,
  }: {
    action: 'create' | 'change' | 'delete';
    before: JsonObject | undefined;
    after: JsonObject | undefined;
  },
): void {
  const hook = (note: JsonObject | undefined) => note && hookRecord('note', note, {}, []);
  const [old, data] = [hook(before) ?? null, hook(after) ?? null];
  const previous = old !== null && data !== null ? changesBetween(old, data) : old;
  const id = textOf((after ?? before)?.id);
  world.outbox.announce({ entity: 'note', action, id, data, previous, ...author });
}
