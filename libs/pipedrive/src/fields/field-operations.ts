import type { OperationName } from '../operations.ts';
import type { RecordObject } from '../records/record-operations.ts';

type FieldVerb =
  | 'get'
  | 'create'
  | 'update'
  | 'remove'
  | 'addOptions'
  | 'renameOptions'
  | 'removeOptions';

/** Which operation lists the fields of an object. */
export const listFieldOperations = {
  person: 'getPersonFields',
  organization: 'getOrganizationFields',
  deal: 'getDealFields',
  lead: 'getLeadFields',
  activity: 'getActivityFields',
  note: 'getNoteFields',
  product: 'getProductFields',
} as const satisfies Record<RecordObject, OperationName>;

const ofDeals = {
  get: 'getDealField',
  create: 'addDealField',
  update: 'updateDealField',
  remove: 'deleteDealField',
  addOptions: 'addDealFieldOptions',
  renameOptions: 'updateDealFieldOptions',
  removeOptions: 'deleteDealFieldOptions',
} as const;

/** Which operation does what to one field. Leads carry the custom fields of deals. */
export const fieldOperations = {
  person: {
    get: 'getPersonField',
    create: 'addPersonField',
    update: 'updatePersonField',
    remove: 'deletePersonField',
    addOptions: 'addPersonFieldOptions',
    renameOptions: 'updatePersonFieldOptions',
    removeOptions: 'deletePersonFieldOptions',
  },
  organization: {
    get: 'getOrganizationField',
    create: 'addOrganizationField',
    update: 'updateOrganizationField',
    remove: 'deleteOrganizationField',
    addOptions: 'addOrganizationFieldOptions',
    renameOptions: 'updateOrganizationFieldOptions',
    removeOptions: 'deleteOrganizationFieldOptions',
  },
  deal: ofDeals,
  lead: ofDeals,
  product: {
    get: 'getProductField',
    create: 'addProductField',
    update: 'updateProductField',
    remove: 'deleteProductField',
    addOptions: 'addProductFieldOptions',
    renameOptions: 'updateProductFieldOptions',
    removeOptions: 'deleteProductFieldOptions',
  },
} as const satisfies Partial<Record<RecordObject, Record<FieldVerb, OperationName>>>;

/** The objects whose custom fields can be made by API. */
export type FieldOwner = keyof typeof fieldOperations;
