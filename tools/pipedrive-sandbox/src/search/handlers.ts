import type { ApiRequest, Handlers } from '../http/api-request.ts';
import { nextCursor, readCursor, readLimit, readStart } from '../http/paging.ts';
import { invalidKey } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import { isObject, type JsonObject } from '../json.ts';
import type { World } from '../world.ts';
import { searchItem } from './items.ts';
import { findMatches } from './matches.ts';
import { isSearchable, SEARCH_ENTITIES, type Searched } from './terms.ts';

const MAX_ITEMS = 100;

export const searchHandlers: Handlers = {
  'v2 searchPersons': (request, world) => searchOne('person', request, world),
  'v2 searchOrganization': (request, world) => searchOne('organization', request, world),
  'v2 searchDeals': (request, world) => searchOne('deal', request, world),
  'v2 searchLeads': (request, world) => searchOne('lead', request, world),
  'v2 searchProducts': (request, world) => searchOne('product', request, world),
  'v2 searchItem': searchAll,
  'v2 searchItemByField': searchByField,
  'v1 searchLeads': searchLeadsByPosition,
};

interface Hit {
  result_score: number;
  item: JsonObject;
}

function findHits(entities: readonly Searched[], { query }: ApiRequest, world: World): Hit[] {
  const exact = query.get('exact_match') === 'true';
  const wanted = {
    term: readTerm(query, exact),
    fields: query.get('fields')?.split(',') ?? null,
    match: exact ? ('exact' as const) : ('middle' as const),
    caseSensitive: false,
  };
  return entities.flatMap((entity) =>
    findMatches(world, { ...wanted, entity }).flatMap((match) => {
      const item = searchItem(entity, match, world);
      return item !== undefined && isWanted(item, query)
        ? [{ result_score: exact ? 1 : 0.5, item }]
        : [];
    }),
  );
}

/** The filters that some searches have. */
function isWanted(
  { person = null, organization = null, status }: JsonObject,
  query: URLSearchParams,
) {
  const idOf = (linked: JsonObject[string]) => (isObject(linked) ? linked.id : null);
  const fits = (key: string, id: unknown) => !query.has(key) || Number(query.get(key)) === id;
  return (
    fits('organization_id', idOf(organization)) &&
    fits('person_id', idOf(person)) &&
    (!query.has('status') || query.get('status') === status)
  );
}

function searchOne(entity: Searched, request: ApiRequest, world: World): Reply {
  return itemsReply(findHits([entity], request, world), request.query, readLimit(request.query));
}

/** One entity after the other; a page is a hundred at most. */
function searchAll(request: ApiRequest, world: World): Reply {
  const limit = readLimit(request.query, MAX_ITEMS);
  const types = request.query.get('item_types')?.split(',') ?? SEARCH_ENTITIES;
  return itemsReply(findHits(types.filter(isSearchable), request, world), request.query, limit);
}

function itemsReply(hits: Hit[], query: URLSearchParams, limit: number): Reply {
  const { items, cursor } = pageOf(hits, query, limit);
  return json(200, { success: true, data: { items }, additional_data: { next_cursor: cursor } });
}

function searchLeadsByPosition(request: ApiRequest, world: World): Reply {
  const hits = findHits(['lead'], request, world);
  const { start, limit } = readStart(request.query);
  const more_items_in_collection = hits.length > start + limit;
  return json(200, {
    success: true,
    data: { items: hits.slice(start, start + limit) },
    additional_data: { start, limit, more_items_in_collection },
  });
}

/** Case counts here, other than in the searches by entity. Answers ids and names only. */
function searchByField({ query }: ApiRequest, world: World): Reply {
  const match = readMatch(query.get('match'));
  const entity = query.get('entity_type') ?? '';
  const term = readTerm(query, match === 'exact');
  const fields = [singular(query.get('field') ?? '')];
  const matches = isSearchable(entity)
    ? findMatches(world, { entity, term, fields, match, caseSensitive: true })
    : [];
  const named = matches.flatMap((found) => {
    const item = isSearchable(entity) ? searchItem(entity, found, world) : undefined;
    return item === undefined ? [] : [{ id: found.id, name: item.name ?? item.title ?? null }];
  });
  const { items, cursor } = pageOf(named, query, readLimit(query));
  return json(200, { success: true, data: items, additional_data: { next_cursor: cursor } });
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

/** The cursor is a position among the hits. */
function pageOf<Item>(
  found: Item[],
  query: URLSearchParams,
  limit: number,
): { items: Item[]; cursor: string | null } {
  const start = readCursor(query, 'position')?.id ?? 0;
  const next = start + limit;
  const cursor =
    next < found.length ? nextCursor({ field: 'position', value: next, id: next }) : null;
  return { items: found.slice(start, next), cursor };
}
