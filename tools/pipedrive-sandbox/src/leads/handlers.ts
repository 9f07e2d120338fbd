import type { ApiRequest, Handlers } from '../http/api-request.ts';
import { olderFieldPage } from '../fields/older-shape.ts';
import { readStart } from '../http/paging.ts';
import { notFound, refused } from '../http/problem.ts';
import { data, numberedPage, type Reply } from '../http/reply.ts';
import type { JsonObject } from '../json.ts';
import { readWholeSeconds } from '../times.ts';
import type { World } from '../world.ts';
import { flattenCustom } from './flat-custom.ts';
import { findLead, type Lead, type LeadFilter, listLeads } from './store.ts';
import { changeLead, createLead, deleteLead } from './write.ts';

const SOURCES = ['Manually created', 'Deal', 'Web forms', 'Prospector', 'Import', 'API'];

/** Leads and their field list, which exist in v1 only. */
export const leadHandlers: Handlers = {
  'v1 getLeads': (request, world) => leadPage(request, world, false),
  'v1 getArchivedLeads': (request, world) => leadPage(request, world, true),
  'v1 getLead': ({ params }, world) => data(leadJson(requireLead(params.id, world), world)),
  'v1 addLead': (request, world) => data(leadJson(createLead(request, world), world), 201),
  'v1 updateLead': (request, world) => {
    const lead = requireLead(request.params.id, world);
    return data(leadJson(changeLead(lead, request, world), world));
  },
  'v1 deleteLead': (request, world) => {
    const lead = requireLead(request.params.id, world);
    deleteLead(lead, request, world);
    return data({ id: String(request.params.id) });
  },
  'v1 getLeadSources': () => data(SOURCES.map((name) => ({ name }))),
  'v1 getLeadFields': listLeadFields,
};

function leadJson({ base, custom }: Lead, world: World): JsonObject {
  return { ...base, ...flattenCustom(custom, world.fields.listCustom('deal')) };
}

function requireLead(id: string | undefined, world: World): Lead {
  const lead = findLead(world.db, id ?? '');
  if (lead === undefined) throw notFound('requested lead not found');
  return lead;
}

function leadPage({ query }: ApiRequest, world: World, archived: boolean): Reply {
  if (query.has('filter_id')) throw refused(400, 'Filter not found');
  const { start, limit } = readStart(query);
  const filter = readFilter(query, { archived, start, limit: limit + 1 });
  const found = listLeads(world.db, filter);
  const items = found.slice(0, limit).map((lead) => leadJson(lead, world));
  return numberedPage(items, { start, limit, more: found.length > limit });
}

function readFilter(
  query: URLSearchParams,
  page: Pick<LeadFilter, 'archived' | 'start' | 'limit'>,
): LeadFilter {
  const number = (key: string) => (query.has(key) ? Number(query.get(key)) : undefined);
  const ownerId = number('owner_id');
  const personId = number('person_id');
  const organizationId = number('organization_id');
  const since = readWholeSeconds(query.get('updated_since') ?? '')?.toISOString();
  return {
    ...page,
    sort: readSort(query.get('sort')),
    ...(ownerId === undefined ? {} : { ownerId }),
    ...(personId === undefined ? {} : { personId }),
    ...(organizationId === undefined ? {} : { organizationId }),
    ...(since === undefined ? {} : { updatedSince: since }),
  };
}

/** `add_time DESC`, comma separated; by default the oldest lead comes first. */
function readSort(text: string | null): string {
  const parts = (text ?? '').split(',').flatMap((part) => {
    const [, column, direction = 'asc'] =
      /^\s*(id|owner_id|add_time|update_time)(?:\s+(asc|desc))?\s*$/i.exec(part) ?? [];
    return column === undefined ? [] : [`${column.toLowerCase()} ${direction}`];
  });
  return [...parts, 'position'].join(', ');
}

/** Leads have the custom fields of deals. */
function listLeadFields({ query }: ApiRequest, world: World): Reply {
  const own = ['title', 'owner_id', 'label_ids', 'person_id', 'org_id', 'value', 'channel'];
  const all = world.fields.list('deal').filter(({ custom, code }) => custom || own.includes(code));
  const named = all.map((field) =>
    field.code === 'org_id' ? { ...field, code: 'organization_id' } : field,
  );
  return olderFieldPage(named, query);
}
