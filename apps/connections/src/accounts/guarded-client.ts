import {
  type FieldOwner,
  type OperationName,
  type Outcome,
  type PipedriveClient,
  type RecordObject,
  recordOperations,
} from '@manifold/pipedrive';

/** Runs one function of a client on behalf of an operation: before, around and after the call. */
export type Guard = <Data>(
  operation: OperationName,
  run: (client: PipedriveClient) => Promise<Outcome<Data>>,
) => Promise<Outcome<Data>>;

/** The functions that take several calls are admitted by their first. */
const listFieldsOperations = {
  person: 'getPersonFields',
  organization: 'getOrganizationFields',
  deal: 'getDealFields',
  lead: 'getLeadFields',
  activity: 'getActivityFields',
  note: 'getNoteFields',
  product: 'getProductFields',
} as const satisfies Record<RecordObject, OperationName>;

const createFieldOperations = {
  person: 'addPersonField',
  organization: 'addOrganizationField',
  deal: 'addDealField',
  lead: 'addDealField',
  product: 'addProductField',
} as const satisfies Record<FieldOwner, OperationName>;

/** A client whose every function goes through `guard`. */
export const createGuardedClient = (guard: Guard): PipedriveClient => ({
  listRecords: (object, options) =>
    guard(recordOperations[object].list, (client) => client.listRecords(object, options)),
  getRecord: (object, id, options) =>
    guard(recordOperations[object].get, (client) => client.getRecord(object, id, options)),
  createRecord: (object, options) =>
    guard(recordOperations[object].create, (client) => client.createRecord(object, options)),
  updateRecord: (object, id, options) =>
    guard(recordOperations[object].update, (client) => client.updateRecord(object, id, options)),
  deleteRecord: (object, id) =>
    guard(recordOperations[object].remove, (client) => client.deleteRecord(object, id)),
  listFields: (object) =>
    guard(listFieldsOperations[object], (client) => client.listFields(object)),
  listLeadLabels: () => guard('getLeadLabels', (client) => client.listLeadLabels()),
  createField: (object, field) =>
    guard(createFieldOperations[object], (client) => client.createField(object, field)),
  searchPersonsByEmail: (email) =>
    guard('searchPersons', (client) => client.searchPersonsByEmail(email)),
  searchOrganizationsByName: (name) =>
    guard('searchOrganization', (client) => client.searchOrganizationsByName(name)),
  searchItemField: (search) =>
    guard('searchItemByField', (client) => client.searchItemField(search)),
  getMe: () => guard('getCurrentUser', (client) => client.getMe()),
  listUsers: () => guard('getUsers', (client) => client.listUsers()),
  listWebhooks: () => guard('getWebhooks', (client) => client.listWebhooks()),
  createWebhook: (webhook) => guard('addWebhook', (client) => client.createWebhook(webhook)),
  deleteWebhook: (id) => guard('deleteWebhook', (client) => client.deleteWebhook(id)),
});
