import type { FieldDefinition, FieldOption, FieldType } from '@manifold/contracts';
import { z } from 'zod';
import type { Call } from './call.ts';
import { completeCatalogue, normaliseField } from './normalise-field.ts';
import type { OperationName } from './operations.ts';
import type { Outcome } from './outcomes.ts';
import type { RecordObject } from './records.ts';

const listOperations = {
  person: 'getPersonFields',
  organization: 'getOrganizationFields',
  deal: 'getDealFields',
  lead: 'getLeadFields',
  activity: 'getActivityFields',
  note: 'getNoteFields',
  product: 'getProductFields',
} as const satisfies Record<RecordObject, OperationName>;

/** Leads carry the custom fields of deals. */
const createOperations = {
  person: 'addPersonField',
  organization: 'addOrganizationField',
  deal: 'addDealField',
  lead: 'addDealField',
  product: 'addProductField',
} as const satisfies Partial<Record<RecordObject, OperationName>>;

/** The objects whose custom fields can be made by API. */
export type FieldOwner = keyof typeof createOperations;

/** The types Pipedrive lets an integration create. */
export type CreatableType = Extract<
  FieldType,
  | 'varchar'
  | 'varchar_auto'
  | 'text'
  | 'double'
  | 'monetary'
  | 'date'
  | 'daterange'
  | 'time'
  | 'timerange'
  | 'enum'
  | 'set'
  | 'phone'
  | 'address'
  | 'user'
  | 'org'
  | 'people'
>;

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
  createField: (object: FieldOwner, field: NewField) => Promise<Outcome<FieldDefinition>>;
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
    createField: (object, { name, type, options }) =>
      call(createOperations[object], {
        body: {
          field_name: name,
          field_type: type,
          ...(options === undefined ? {} : { options: options.map((text) => ({ label: text })) }),
        },
        read: (data) => {
          const field = normaliseField(object, data);
          if (field === undefined) throw new TypeError('a created field has a code');
          return field;
        },
      }),
  };
}

async function listAllPages(call: Call, object: RecordObject): Promise<Outcome<FieldDefinition[]>> {
  const operation = listOperations[object];
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
