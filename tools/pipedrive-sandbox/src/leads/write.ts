import { randomUUID } from 'node:crypto';
import type { ApiRequest } from '../http/api-request.ts';
import { refused } from '../http/problem.ts';
import { isObject, type Json, type JsonObject, sameJson, textOf } from '../json.ts';
import { completeCustom } from '../records/custom-part.ts';
import { valueContext } from '../records/write.ts';
import { forgetTerms, indexTerms, termsOf } from '../search/terms.ts';
import { changesBetween, hookRecord } from '../webhooks/payload.ts';
import type { World } from '../world.ts';
import { isCustomKey, readFlatCustom } from './flat-custom.ts';
import { listLabels } from './labels.ts';
import { insertLead, type Lead, removeLead, saveLead } from './store.ts';

/** Creates a lead; its source is always the API, whatever the body says. */
export function createLead(request: ApiRequest, world: World): Lead {
  const time = world.now().toISOString();
  const { user } = request.actor;
  const id = randomUUID();
  const lead: Lead = { base: emptyLead(id, user.id, time), custom: {} };
  const made = apply(lead, request, world);
  if (made.base.person_id === null && made.base.organization_id === null)
    throw refused(400, 'Either person_id or organization_id is required');
  world.db.transaction(() => {
    insertLead(world.db, made);
    index(made, world);
    announce(request, world, { action: 'create', id, data: hookOf(made, world), previous: null });
  });
  return made;
}

export function changeLead(before: Lead, request: ApiRequest, world: World): Lead {
  const body = isObject(request.body) ? request.body : {};
  if (before.base.is_archived === true && body.is_archived !== false)
    throw refused(400, 'Archived leads cannot be updated');
  const after = apply(before, request, world);
  if (sameJson(after.base, before.base) && sameJson(after.custom, before.custom)) return before;
  after.base.update_time = world.now().toISOString();
  world.db.transaction(() => {
    saveLead(world.db, after);
    index(after, world);
    const data = hookOf(after, world);
    const previous = changesBetween(hookOf(before, world), data);
    announce(request, world, { action: 'change', id: textOf(after.base.id), data, previous });
  });
  return after;
}

export function deleteLead(lead: Lead, request: ApiRequest, world: World): void {
  const id = textOf(lead.base.id);
  world.db.transaction(() => {
    removeLead(world.db, id);
    forgetTerms(world, 'lead', id);
    announce(request, world, { action: 'delete', id, data: null, previous: hookOf(lead, world) });
  });
}

/** A lead with nothing but its id, owner and times. */
export function emptyLead(id: string, ownerId: number, time: string): JsonObject {
  return {
    id,
    title: '',
    owner_id: ownerId,
    creator_id: ownerId,
    label_ids: [],
    person_id: null,
    organization_id: null,
    source_name: 'API',
    origin: 'API',
    origin_id: null,
    channel: null,
    channel_id: null,
    is_archived: false,
    was_seen: false,
    value: null,
    expected_close_date: null,
    next_activity_id: null,
    add_time: time,
    update_time: time,
    visible_to: '3',
    cc_email: `sandbox+lead${id.slice(0, 8)}@pipedrivemail.example`,
  };
}

function apply(before: Lead, request: ApiRequest, world: World): Lead {
  const body = isObject(request.body) ? request.body : {};
  const own = Object.entries(body).filter(([key]) => !isCustomKey(key));
  const base: JsonObject = { ...before.base, ...Object.fromEntries(own) };
  if (typeof base.title !== 'string' || base.title.trim() === '')
    throw refused(400, 'title is required');
  requireKnown(base, world);
  const { values, issues } = readFlatCustom(
    body,
    (code) => world.fields.find('deal', code),
    valueContext(world),
  );
  const first = issues[0];
  if (first !== undefined) throw refused(400, `"${first.key}" ${first.message}`);
  const merged = Object.entries({ ...before.custom, ...values });
  return { base, custom: Object.fromEntries(merged.filter(([, value]) => value !== null)) };
}

function requireKnown(base: JsonObject, { db }: World): void {
  const missing = (table: string, id: Json | undefined, more = '') =>
    typeof id === 'number' &&
    db.find(`select 1 from ${table} where id = ?${more}`, id) === undefined;
  if (missing('user', base.owner_id)) throw refused(400, 'owner not found');
  if (missing('person', base.person_id, ' and deleted = 0')) throw refused(400, 'person not found');
  if (missing('organization', base.organization_id, ' and deleted = 0'))
    throw refused(400, 'organization not found');
  const known = new Set(listLabels(db).map((label) => label.id));
  const labels = Array.isArray(base.label_ids) ? base.label_ids : [];
  if (!labels.every((id) => known.has(id))) throw refused(400, 'label not found');
}

function index({ base, custom }: Lead, world: World): void {
  const terms = termsOf(base, custom, world.fields.listCustom('deal'));
  indexTerms(world, 'lead', textOf(base.id), terms);
}

function hookOf({ base, custom }: Lead, world: World): JsonObject {
  const fields = world.fields.listCustom('deal').filter(({ code }) => custom[code] !== undefined);
  return hookRecord('lead', base, completeCustom('deal', custom, world), fields);
}

function announce(
  request: ApiRequest,
  world: World,
  change: {
    action: 'create' | 'change' | 'delete';
    id: string;
    data: JsonObject | null;
    previous: JsonObject | null;
  },
): void {
  world.outbox.announce({
    ...change,
    entity: 'lead',
    userId: request.actor.user.id,
    changeSource: request.changeSource,
  });
}
