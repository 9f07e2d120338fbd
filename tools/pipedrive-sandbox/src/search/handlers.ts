import type { ApiRequest, Handlers } from '../http/api-request.ts';
import { nextCursor, readCursor, readLimit } from '../http/paging.ts';
import { invalidKey } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { findLead } from '../leads/store.ts';
import { findRecordRow, readRecord } from '../records/store.ts';
import type { World } from '../world.ts';
import { findMatches, type Match } from './matches.ts';

export const searchHandlers: Handlers = {
  'v2 searchPersons': (request, world) => searchRecords('person', request, world),
  'v2 searchOrganization': (request, world) => searchRecords('organization', request, world),
  'v2 searchItemByField': searchByField,
};

function searchRecords(
  entity: 'person' | 'organization',
  { query }: ApiRequest,
  world: World,
): Reply {
  const exact = query.get('exact_match') === 'true';
  const found = findMatches(world, {
    entity,
    term: readTerm(query, exact),
    fields: query.get('fields')?.split(',') ?? null,
    match: exact ? 'exact' : 'middle',
    caseSensitive: false,
  });
  const organizationId = query.get('organization_id');
  const fits = found.flatMap((match) => {
    const item = searchItem(entity, match, world);
    if (item === undefined) return [];
    const organization = isObject(item.organization) ? item.organization.id : null;
    return organizationId === null || organization === Number(organizationId)
      ? [{ id: Number(match.id), json: { result_score: exact ? 1 : 0.5, item } }]
      : [];
  });
  const { items, cursor } = pageOf(fits, query);
  return json(200, { success: true, data: { items }, additional_data: { next_cursor: cursor } });
}

/** The index's own view of a record, which outlives deleted organizations and lacks most properties. */
function searchItem(
  entity: 'person' | 'organization',
  match: Match,
  world: World,
): JsonObject | undefined {
  const row = findRecordRow(world.db, entity, Number(match.id));
  if (row === undefined) return undefined;
  const { base, custom } = readRecord(row);
  const hits = match.fields.filter((code) => world.fields.find(entity, code)?.custom);
  const shared = {
    id: row.id,
    type: entity,
    name: base.name ?? null,
    visible_to: base.visible_to ?? null,
    owner: { id: base.owner_id ?? null },
    custom_fields: hits.map((code) => plain(custom[code] ?? null)),
    notes: [],
  };
  if (entity === 'organization') return { ...shared, address: plain(base.address ?? null) };
  return {
    ...shared,
    phones: plainList(base.phones),
    emails: plainList(base.emails),
    organization: organizationOf(base.org_id ?? null, world),
  };
}

function organizationOf(id: Json, world: World): JsonObject | null {
  const row = typeof id === 'number' ? findRecordRow(world.db, 'organization', id) : undefined;
  if (row === undefined) return null;
  const { base } = readRecord(row);
  return { id, name: base.name ?? null, address: plain(base.address ?? null) };
}

function plain(value: Json): Json {
  return isObject(value) ? (value.value ?? null) : value;
}

function plainList(list: Json | undefined): Json[] {
  return Array.isArray(list) ? list.map(plain) : [];
}

/** Case counts here, other than in the searches by entity. Answers ids and names only. */
function searchByField({ query }: ApiRequest, world: World): Reply {
  const match = readMatch(query.get('match'));
  const entity = query.get('entity_type') ?? '';
  const matches =
    entity === 'person' || entity === 'organization' || entity === 'lead'
      ? findMatches(world, {
          entity,
          term: readTerm(query, match === 'exact'),
          fields: [singular(query.get('field') ?? '')],
          match,
          caseSensitive: true,
        })
      : [];
  const named = matches.map(({ id }, at) => ({
    id: typeof id === 'number' ? id : at + 1,
    json: { id, ...nameOf(entity, id, world) },
  }));
  const { items, cursor } = pageOf(named, query);
  return json(200, { success: true, data: items, additional_data: { next_cursor: cursor } });
}

function nameOf(entity: string, id: number | string, world: World): JsonObject {
  if (entity === 'lead') return { name: findLead(world.db, String(id))?.base.title ?? null };
  if (entity !== 'person' && entity !== 'organization') return {};
  const row = findRecordRow(world.db, entity, Number(id));
  return { name: row === undefined ? null : (readRecord(row).base.name ?? null) };
}

function singular(field: string): string {
  return field === 'emails' || field === 'phones' ? field.slice(0, -1) : field;
}

function readMatch(text: string | null): 'exact' | 'beginning' | 'middle' {
  return text === 'beginning' || text === 'middle' ? text : 'exact';
}

function readTerm(query: URLSearchParams, exact: boolean): string {
  const term = query.get('term')?.trim() ?? '';
  const least = exact ? 1 : 2;
  if (term.length < least)
    throw invalidKey('term', `String must contain at least ${least} character(s)`);
  return term;
}

/** Matches come in the order of their ids; the cursor is the last id shown. */
function pageOf(
  found: { id: number; json: JsonObject }[],
  query: URLSearchParams,
): { items: JsonObject[]; cursor: string | null } {
  const limit = readLimit(query);
  const after = readCursor(query, 'id')?.id ?? 0;
  const rest = found.filter(({ id }) => id > after);
  const shown = rest.slice(0, limit);
  const last = shown.at(-1);
  const cursor =
    last !== undefined && rest.length > limit
      ? nextCursor({ field: 'id', value: last.id, id: last.id })
      : null;
  return { items: shown.map((item) => item.json), cursor };
}
