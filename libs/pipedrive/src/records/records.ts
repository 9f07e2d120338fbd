import type { FieldDefinition, PipedriveRecord } from '@manifold/contracts';
import { z } from 'zod';
import type { Body, Call } from '../calling/call.ts';
import { type ListByIdsOptions, type ListOptions, listQuery, selection } from './list-query.ts';
import { normaliseRecord } from '../normalising/normalise-record.ts';
import type { Outcome } from '../calling/outcomes.ts';
import {
  type ListedByIds,
  listOperationOf,
  type RecordObject,
  recordOperations,
} from './record-operations.ts';

export interface ReadOptions {
  definitions?: readonly FieldDefinition[] | undefined;
}

export interface GetOptions extends ReadOptions {
  /** Custom fields to return instead of all; as in a list. */
  customFields?: readonly string[] | undefined;
  /** Built-in fields that come only when asked for. */
  includeFields?: readonly string[] | undefined;
}

/** One record of an object; with `body` from `toRequestBody`. */
export interface WriteOptions extends ReadOptions {
  body: Body;
}

type ListRecords = {
  (object: ListedByIds, options?: ListByIdsOptions): Promise<Outcome<PipedriveRecord[]>>;
  (object: RecordObject, options?: ListOptions): Promise<Outcome<PipedriveRecord[]>>;
};

export interface Records {
  /** One page, in order of id unless `sortBy` says otherwise. */
  listRecords: ListRecords;
  /** A record that is gone or invisible is `refused` with status 404. */
  getRecord: (
    object: RecordObject,
    id: string,
    options?: GetOptions,
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
    listRecords: (object: RecordObject, options: ListByIdsOptions = {}) =>
      call(listOperationOf(object, options), {
        query: listQuery(object, options),
        read: (data) =>
          z
            .array(z.unknown())
            .parse(data ?? [])
            .map(one(object, options)),
      }),
    getRecord: (object, id, options) =>
      call(recordOperations[object].get, {
        path: { id },
        query: selection('get', object, options),
        read: one(object, options),
      }),
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
