import type { FieldDefinition, PipedriveObject, PipedriveRecord } from '@manifold/contracts';
import { z } from 'zod';
import type { Body, Call, Query } from './call.ts';
import { normaliseRecord } from './normalise-record.ts';
import { type OperationName, operations } from './operations.ts';
import type { Outcome } from './outcomes.ts';

/** The objects that can be listed and written; users are listed with `listUsers`. */
export type RecordObject = Exclude<PipedriveObject, 'user'>;

type Verb = 'list' | 'get' | 'create' | 'update' | 'remove';

/** Which operation carries out a verb on an object; its price is in `operations`. */
export const recordOperations = {
  person: verbs('getPersons', 'getPerson', 'addPerson', 'updatePerson', 'deletePerson'),
  organization: verbs(
    'getOrganizations',
    'getOrganization',
    'addOrganization',
    'updateOrganization',
    'deleteOrganization',
  ),
  deal: verbs('getDeals', 'getDeal', 'addDeal', 'updateDeal', 'deleteDeal'),
  lead: verbs('getLeads', 'getLead', 'addLead', 'updateLead', 'deleteLead'),
  activity: verbs(
    'getActivities',
    'getActivity',
    'addActivity',
    'updateActivity',
    'deleteActivity',
  ),
  note: verbs('getNotes', 'getNote', 'addNote', 'updateNote', 'deleteNote'),
  product: verbs('getProducts', 'getProduct', 'addProduct', 'updateProduct', 'deleteProduct'),
} as const satisfies Record<RecordObject, Record<Verb, OperationName>>;

function verbs(
  ...names: [OperationName, OperationName, OperationName, OperationName, OperationName]
) {
  const [list, get, create, update, remove] = names;
  return { list, get, create, update, remove };
}

export interface ListOptions {
  /** From `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** 1 to 500; the price of a page does not depend on it. */
  limit?: number | undefined;
  /** Inclusive; cut to whole seconds, which is all Pipedrive accepts. */
  updatedSince?: Date | undefined;
  /** Exclusive. v2 objects only. */
  updatedUntil?: Date | undefined;
  /** At most 100. Ids that do not exist or cannot be seen are left out of the answer. v2 objects only. */
  ids?: readonly string[] | undefined;
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

export interface ReadOptions {
  definitions?: readonly FieldDefinition[] | undefined;
}

/** One record of an object; with `body` from `toRequestBody`. */
export interface WriteOptions extends ReadOptions {
  body: Body;
}

export interface Records {
  /** One page, in order of id unless `sortBy` says otherwise. */
  listRecords: (object: RecordObject, options?: ListOptions) => Promise<Outcome<PipedriveRecord[]>>;
  /** A record that is gone or invisible is `refused` with status 404. */
  getRecord: (
    object: RecordObject,
    id: string,
    options?: ReadOptions,
  ) => Promise<Outcome<PipedriveRecord>>;
  createRecord: (object: RecordObject, options: WriteOptions) => Promise<Outcome<PipedriveRecord>>;
  updateRecord: (
    object: RecordObject,
    id: string,
    options: WriteOptions,
  ) => Promise<Outcome<PipedriveRecord>>;
  deleteRecord: (object: RecordObject, id: string) => Promise<Outcome<{ id: string }>>;
}

const deleted = z.object({ id: z.union([z.number(), z.string()]).transform(String) });

export function createRecords(call: Call): Records {
  const one =
    (object: RecordObject, options: ReadOptions = {}) =>
    (data: unknown) =>
      normaliseRecord(object, data, options.definitions);
  return {
    listRecords: (object, options = {}) =>
      call(recordOperations[object].list, {
        query: listQuery(object, options),
        read: (data) =>
          z
            .array(z.unknown())
            .parse(data ?? [])
            .map(one(object, options)),
      }),
    getRecord: (object, id, options) =>
      call(recordOperations[object].get, { path: { id }, read: one(object, options) }),
    createRecord: (object, options) =>
      call(recordOperations[object].create, { body: options.body, read: one(object, options) }),
    updateRecord: (object, id, options) =>
      call(recordOperations[object].update, {
        path: { id },
        body: options.body,
        read: one(object, options),
      }),
    deleteRecord: (object, id) =>
      call(recordOperations[object].remove, {
        path: { id },
        // v1 answers with the id or with nothing
        read: (data) => deleted.catch({ id }).parse(data),
      }),
  };
}

const MOST_IDS = 100;
const MOST_CUSTOM_FIELDS = 15;

function listQuery(object: RecordObject, options: ListOptions): Query {
  const { ids, limit = 500, sortBy, sortDirection, updatedSince, updatedUntil } = options;
  const { customFields = [] } = options;
  if (ids !== undefined && ids.length > MOST_IDS)
    throw new RangeError('at most 100 ids in one list');
  if (operations[recordOperations[object].list].version === 'v1') {
    return {
      limit,
      start: options.cursor,
      updated_since: wholeSeconds(updatedSince),
      sort:
        sortBy === undefined ? undefined : `${sortBy} ${sortDirection === 'desc' ? 'DESC' : 'ASC'}`,
    };
  }
  const restricts = customFields.length > 0 && customFields.length <= MOST_CUSTOM_FIELDS;
  return {
    limit,
    cursor: options.cursor,
    ids: ids?.join(','),
    updated_since: wholeSeconds(updatedSince),
    updated_until: wholeSeconds(updatedUntil),
    sort_by: sortBy,
    sort_direction: sortDirection,
    custom_fields: restricts ? customFields.join(',') : undefined,
    include_fields: options.includeFields?.join(','),
  };
}

const wholeSeconds = (time: Date | undefined): string | undefined =>
  time?.toISOString().replace(/\.\d{3}Z$/, 'Z');
