import {
  type FieldDefinition,
  FieldOption,
  type FieldType,
  type OptionId,
} from '@manifold/contracts';
import { z } from 'zod';
import type { Call } from '../calling/call.ts';
import { type FieldOwner, fieldOperations, listFieldOperations } from './field-operations.ts';
import { completeCatalogue, normaliseField } from '../normalising/normalise-field.ts';
import type { Outcome } from '../calling/outcomes.ts';
import type { RecordObject } from '../records/record-operations.ts';

/** The types Pipedrive lets an integration create. */
export const CREATABLE_TYPES = [
  ...['varchar', 'varchar_auto', 'text', 'phone', 'address'],
  ...['double', 'monetary', 'date', 'daterange', 'time', 'timerange'],
  ...['enum', 'set', 'user', 'org', 'people'],
] as const satisfies readonly FieldType[];
export type CreatableType = (typeof CREATABLE_TYPES)[number];

export interface NewField {
  /** At most 255 characters; Pipedrive does not ask for it to be unique. */
  name: string;
  type: CreatableType;
  /** Labels, for `enum` and `set`. */
  options?: readonly string[];
}

export interface Fields {
  /**
   * The whole catalogue of an object, all pages, with the built-in fields Pipedrive's list leaves
   * out. Costs the list price per 500 fields; for leads also one read of the lead labels.
   */
  listFields: (object: RecordObject) => Promise<Outcome<FieldDefinition[]>>;
  listLeadLabels: () => Promise<Outcome<FieldOption[]>>;
  /** One custom field as it is now, for a tenth of the list's price; gone is `refused` with 404. */
  getField: (object: FieldOwner, code: string) => Promise<Outcome<FieldDefinition>>;
  createField: (object: FieldOwner, field: NewField) => Promise<Outcome<FieldDefinition>>;
  renameField: (
    object: FieldOwner,
    code: string,
    name: string,
  ) => Promise<Outcome<FieldDefinition>>;
  /** The values records hold in it go with it. */
  deleteField: (object: FieldOwner, code: string) => Promise<Outcome<{ code: string }>>;
  /** All or none; answers with the new options. */
  addFieldOptions: (
    object: FieldOwner,
    code: string,
    labels: readonly string[],
  ) => Promise<Outcome<FieldOption[]>>;
  renameFieldOptions: (
    object: FieldOwner,
    code: string,
    options: readonly FieldOption[],
  ) => Promise<Outcome<FieldOption[]>>;
  deleteFieldOptions: (
    object: FieldOwner,
    code: string,
    ids: readonly OptionId[],
  ) => Promise<Outcome<FieldOption[]>>;
}

const label = z.object({ id: z.string(), name: z.string() });

/** 10,000 fields: far above what any plan allows. */
const MOST_PAGES = 20;

export function createFields(call: Call): Fields {
  const listLeadLabels = (): Promise<Outcome<FieldOption[]>> =>
    call('getLeadLabels', {
      read: (data) =>
        z
          .array(label)
          .parse(data ?? [])
          .map(({ id, name }) => ({ id, label: name })),
    });

  return {
    listLeadLabels,
    async listFields(object) {
      const listed = await listAllPages(call, object);
      if (listed.outcome !== 'ok') return listed;
      const fields = completeCatalogue(object, listed.data);
      if (object !== 'lead') return { outcome: 'ok', data: fields };
      const labels = await listLeadLabels();
      if (labels.outcome !== 'ok') return labels;
      const data = fields.map((field) =>
        field.code === 'label_ids' ? { ...field, options: labels.data } : field,
      );
      return { outcome: 'ok', data };
    },
    ...createFieldEditing(call),
  };
}

function createFieldEditing(call: Call): Omit<Fields, 'listFields' | 'listLeadLabels'> {
  return {
    getField: (object, code) =>
      call(fieldOperations[object].get, { path: { code }, read: readField(object) }),
    createField: (object, { name, type, options }) =>
      call(fieldOperations[object].create, {
        body: {
          field_name: name,
          field_type: type,
          ...(options === undefined ? {} : { options: options.map((text) => ({ label: text })) }),
        },
        read: readField(object),
      }),
    renameField: (object, code, name) =>
      call(fieldOperations[object].update, {
        path: { code },
        body: { field_name: name },
        read: readField(object),
      }),
    deleteField: (object, code) =>
      call(fieldOperations[object].remove, { path: { code }, read: () => ({ code }) }),
    addFieldOptions: (object, code, labels) =>
      call(fieldOperations[object].addOptions, {
        path: { code },
        body: labels.map((text) => ({ label: text })),
        read: readOptions,
      }),
    renameFieldOptions: (object, code, options) =>
      call(fieldOperations[object].renameOptions, {
        path: { code },
        body: options.map((option) => ({ id: option.id, label: option.label })),
        read: readOptions,
      }),
    deleteFieldOptions: (object, code, ids) =>
      call(fieldOperations[object].removeOptions, {
        path: { code },
        body: ids.map((id) => ({ id })),
        read: readOptions,
      }),
  };
}

const readField =
  (object: RecordObject) =>
  (data: unknown): FieldDefinition => {
    const field = normaliseField(object, data);
    if (field === undefined) throw new TypeError('a field has a code and a type');
    return field;
  };

const readOptions = (data: unknown): FieldOption[] => z.array(FieldOption).parse(data ?? []);

async function listAllPages(call: Call, object: RecordObject): Promise<Outcome<FieldDefinition[]>> {
  const operation = listFieldOperations[object];
  const isV1 = object === 'lead' || object === 'note';
  const fields: FieldDefinition[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const listed = await call(operation, {
      query: { limit: 500, [isV1 ? 'start' : 'cursor']: cursor },
      read: (data) => z.array(z.unknown()).parse(data ?? []),
    });
    if (listed.outcome !== 'ok') return listed;
    for (const raw of listed.data) {
      const field = normaliseField(object, raw);
      if (field !== undefined) fields.push(field);
    }
    if (listed.nextCursor === undefined) return { outcome: 'ok', data: fields };
    cursor = listed.nextCursor;
  }
  return { outcome: 'unavailable', cause: 'catalogue_without_end' };
}
