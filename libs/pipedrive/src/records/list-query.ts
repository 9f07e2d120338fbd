import type { FieldDefinition } from '@manifold/contracts';
import type { Query } from '../calling/call.ts';
import { operations } from '../operations.ts';
import { type RecordObject, recordOperations } from './record-operations.ts';

export interface ListOptions {
  /** From `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** 1 to 500; the price of a page does not depend on it. */
  limit?: number | undefined;
  /** Inclusive; cut to whole seconds, which is all Pipedrive accepts. */
  updatedSince?: Date | undefined;
  /** Exclusive. v2 objects but products. */
  updatedUntil?: Date | undefined;
  /** Only records that point at this one: notes and activities of a person, deals of an organization. */
  of?: { object: 'person' | 'organization' | 'deal' | 'lead'; id: string } | undefined;
  /** Archived deals or leads instead of the others; they are in no other list, and cannot be changed. */
  archived?: boolean | undefined;
  /** Custom fields to return instead of all. Pipedrive takes 15; with more, all come back. */
  customFields?: readonly string[] | undefined;
  /** Built-in fields that come only when asked for, such as `marketing_status`. */
  includeFields?: readonly string[] | undefined;
  sortBy?: 'id' | 'add_time' | 'update_time' | undefined;
  /** Of `sortBy`; ascending when absent. */
  sortDirection?: 'asc' | 'desc' | undefined;
  /** The catalogue of the object, to read custom values by type; leads need it. */
  definitions?: readonly FieldDefinition[] | undefined;
}

export interface ListByIdsOptions extends ListOptions {
  /** At most 100. Ids that do not exist or cannot be seen are left out of the answer. */
  ids?: readonly string[] | undefined;
}

const MOST_IDS = 100;
const MOST_CUSTOM_FIELDS = 15;

/** The query of a list; throws a RangeError for what Pipedrive cannot list. */
export function listQuery(object: RecordObject, options: ListByIdsOptions): Query {
  const { ids, limit = 500, sortBy, sortDirection, updatedSince, updatedUntil } = options;
  // an empty parameter would list everything
  if (ids !== undefined && (ids.length === 0 || ids.length > MOST_IDS))
    throw new RangeError('1 to 100 ids in one list');
  const around = options.of === undefined ? {} : { [pointerTo(object, options.of)]: options.of.id };
  if (operations[recordOperations[object].list].version === 'v1') {
    if (ids !== undefined) throw new RangeError(`a list of ${object}s cannot name them`);
    return {
      limit,
      start: options.cursor,
      updated_since: wholeSeconds(updatedSince),
      sort:
        sortBy === undefined ? undefined : `${sortBy} ${sortDirection === 'desc' ? 'DESC' : 'ASC'}`,
      ...around,
    };
  }
  return {
    limit,
    cursor: options.cursor,
    ids: ids?.join(','),
    updated_since: wholeSeconds(updatedSince),
    updated_until: wholeSeconds(updatedUntil),
    sort_by: sortBy,
    sort_direction: sortDirection,
    ...selection('list', object, options),
    ...around,
  };
}

/** The parameter that names the record others point at; what Pipedrive lacks is a mistake of the caller. */
function pointerTo(object: RecordObject, of: NonNullable<ListOptions['of']>): string {
  const known: Partial<Record<RecordObject, readonly string[]>> = {
    person: ['organization', 'deal'],
    deal: ['person', 'organization'],
    lead: ['person', 'organization'],
    activity: ['person', 'organization', 'deal', 'lead'],
    note: ['person', 'organization', 'deal', 'lead'],
  };
  if (known[object]?.includes(of.object) !== true)
    throw new RangeError(`${object}s cannot be listed by ${of.object}`);
  if (of.object !== 'organization') return `${of.object}_id`;
  return object === 'lead' ? 'organization_id' : 'org_id';
}

/** Which objects take the parameters that choose fields; one product alone takes neither. */
const choosing: Record<'list' | 'get', Record<'custom' | 'included', readonly RecordObject[]>> = {
  list: {
    custom: ['person', 'organization', 'deal', 'product'],
    included: ['person', 'organization', 'deal'],
  },
  get: {
    custom: ['person', 'organization', 'deal'],
    included: ['person', 'organization', 'deal'],
  },
};

/** Which fields an answer holds; what an object has no parameter for is left out. */
export function selection(
  verb: 'list' | 'get',
  object: RecordObject,
  options: Pick<ListOptions, 'customFields' | 'includeFields'> = {},
): Query {
  const { customFields = [], includeFields = [] } = options;
  const { custom, included } = choosing[verb];
  const restricts = customFields.length > 0 && customFields.length <= MOST_CUSTOM_FIELDS;
  const includes = includeFields.length > 0 && included.includes(object);
  return {
    custom_fields: restricts && custom.includes(object) ? customFields.join(',') : undefined,
    include_fields: includes ? includeFields.join(',') : undefined,
  };
}

const wholeSeconds = (time: Date | undefined): string | undefined =>
  time?.toISOString().replace(/\.\d{3}Z$/, 'Z');
