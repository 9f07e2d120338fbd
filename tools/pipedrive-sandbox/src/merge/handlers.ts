import type { ApiRequest, Handlers } from '../http/api-request.ts';
import { data, type Reply } from '../http/reply.ts';
import { isObject, type Json, type JsonObject, textOf } from '../json.ts';
import { flattenCustom } from '../leads/flat-custom.ts';
import { readId } from '../records/handlers.ts';
import { optionalValue } from '../records/optional.ts';
import { findRecordRow, readRecord } from '../records/store.ts';
import { spacedTime } from '../times.ts';
import { findUser } from '../users/users.ts';
import type { World } from '../world.ts';
import type { Mergeable } from './links.ts';
import { mergeRecords } from './merge.ts';

/** Merging exists in v1 only and answers with the survivor in v1's shape. */
export const mergeHandlers: Handlers = {
  'v1 mergePersons': (request, world) => merge('person', request, world),
  'v1 mergeOrganizations': (request, world) => merge('organization', request, world),
  'v1 mergeDeals': (request, world) => merge('deal', request, world),
};

function merge(entity: Mergeable, request: ApiRequest, world: World): Reply {
  const loserId = readId(request);
  const survivorId = Number(isObject(request.body) ? request.body.merge_with_id : 0);
  const { id, base, custom } = mergeRecords(entity, { loserId, survivorId }, request, world);
  if (entity === 'organization') return data({ id });
  const flat = flattenCustom(custom, world.fields.listCustom(entity));
  return data({ ...olderShape(entity, base, world), ...flat, merge_what_id: loserId });
}

const ACTIVITY_COUNTS = [
  'activities_count',
  'done_activities_count',
  'undone_activities_count',
  'notes_count',
  'next_activity_id',
  'last_activity_id',
];
const COUNTS = {
  person: [
    'open_deals_count',
    'closed_deals_count',
    'won_deals_count',
    'lost_deals_count',
    ...ACTIVITY_COUNTS,
  ],
  deal: ['products_count', ...ACTIVITY_COUNTS],
};

/** The names and forms of v1. */
function olderShape(entity: 'person' | 'deal', base: JsonObject, world: World): JsonObject {
  const {
    emails,
    phones,
    owner_id: ownerId = null,
    is_deleted: _,
    is_archived: __,
    ...rest
  } = base;
  const row = findRecordRow(world.db, entity, Number(base.id));
  const counts = row
    ? COUNTS[entity].map((key) => [key, optionalValue(entity, row, key, world)])
    : [];
  const own =
    entity === 'person'
      ? { owner_id: ownerId, company_id: world.company.id, email: emails, phone: phones }
      : { user_id: ownerId, active: base.status === 'open', deleted: false };
  return {
    ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, spaced(key, value)])),
    ...own,
    ...Object.fromEntries(counts),
    active_flag: true,
    visible_to: textOf(base.visible_to),
    owner_name: findUser(world.db, Number(ownerId))?.name ?? null,
    org_name: nameOf('organization', base.org_id, world),
    ...(entity === 'deal' ? { person_name: nameOf('person', base.person_id, world) } : {}),
  };
}

function spaced(key: string, value: Json): Json {
  return key.endsWith('_time') && typeof value === 'string' ? spacedTime(new Date(value)) : value;
}

function nameOf(entity: 'person' | 'organization', id: Json | undefined, { db }: World): Json {
  const row = typeof id === 'number' ? findRecordRow(db, entity, id) : undefined;
  return row === undefined ? null : (readRecord(row).base.name ?? null);
}
