import {
  changelogOperations,
  fieldOperations,
  type ListByIdsOptions,
  listFieldOperations,
  listOperationOf,
  mergeOperations,
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

/** A client whose every function goes through `guard`; those that take several calls are admitted by the first. */
export const createGuardedClient = (guard: Guard): PipedriveClient => ({
  ...guardRecords(guard),
  ...guardFields(guard),
  ...guardSearches(guard),
  getMe: () => guard('getCurrentUser', (client) => client.getMe()),
  listUsers: () => guard('getUsers', (client) => client.listUsers()),
  listWebhooks: () => guard('getWebhooks', (client) => client.listWebhooks()),
  createWebhook: (webhook) => guard('addWebhook', (client) => client.createWebhook(webhook)),
  deleteWebhook: (id) => guard('deleteWebhook', (client) => client.deleteWebhook(id)),
});

type Part<Name extends keyof PipedriveClient> = Pick<PipedriveClient, Name>;

const guardRecords = (
  guard: Guard,
): Part<
  | 'listRecords'
  | 'getRecord'
  | 'createRecord'
  | 'updateRecord'
  | 'deleteRecord'
  | 'mergeRecords'
  | 'listChanges'
  | 'convertLead'
  | 'getConversion'
  | 'listPipelines'
  | 'listStages'
  | 'listActivityTypes'
> => ({
  listRecords: (object: RecordObject, options?: ListByIdsOptions) =>
    guard(listOperationOf(object, options), (client) => client.listRecords(object, options)),
  getRecord: (object, id, options) =>
    guard(recordOperations[object].get, (client) => client.getRecord(object, id, options)),
  createRecord: (object, options) =>
    guard(recordOperations[object].create, (client) => client.createRecord(object, options)),
  updateRecord: (object, id, options) =>
    guard(recordOperations[object].update, (client) => client.updateRecord(object, id, options)),
  deleteRecord: (object, id) =>
    guard(recordOperations[object].remove, (client) => client.deleteRecord(object, id)),
  mergeRecords: (object, merge) =>
    guard(mergeOperations[object], (client) => client.mergeRecords(object, merge)),
  listChanges: (object, id, page) =>
    guard(changelogOperations[object], (client) => client.listChanges(object, id, page)),
  convertLead: (id, target) =>
    guard('convertLeadToDeal', (client) => client.convertLead(id, target)),
  getConversion: (leadId, id) =>
    guard('getLeadConversionStatus', (client) => client.getConversion(leadId, id)),
  listPipelines: () => guard('getPipelines', (client) => client.listPipelines()),
  listStages: (pipelineId) => guard('getStages', (client) => client.listStages(pipelineId)),
  listActivityTypes: () => guard('getActivityTypes', (client) => client.listActivityTypes()),
});

const guardFields = (
  guard: Guard,
): Part<
  | 'listFields'
  | 'listLeadLabels'
  | 'getField'
  | 'createField'
  | 'renameField'
  | 'deleteField'
  | 'addFieldOptions'
  | 'renameFieldOptions'
  | 'deleteFieldOptions'
> => ({
  listFields: (object) => guard(listFieldOperations[object], (client) => client.listFields(object)),
  listLeadLabels: () => guard('getLeadLabels', (client) => client.listLeadLabels()),
  getField: (object, code) =>
    guard(fieldOperations[object].get, (client) => client.getField(object, code)),
  createField: (object, field) =>
    guard(fieldOperations[object].create, (client) => client.createField(object, field)),
  renameField: (object, code, name) =>
    guard(fieldOperations[object].update, (client) => client.renameField(object, code, name)),
  deleteField: (object, code) =>
    guard(fieldOperations[object].remove, (client) => client.deleteField(object, code)),
  addFieldOptions: (object, code, labels) =>
    guard(fieldOperations[object].addOptions, (client) =>
      client.addFieldOptions(object, code, labels),
    ),
  renameFieldOptions: (object, code, options) =>
    guard(fieldOperations[object].renameOptions, (client) =>
      client.renameFieldOptions(object, code, options),
    ),
  deleteFieldOptions: (object, code, ids) =>
    guard(fieldOperations[object].removeOptions, (client) =>
      client.deleteFieldOptions(object, code, ids),
    ),
});

const guardSearches = (
  guard: Guard,
): Part<
  | 'searchPersonsByEmail'
  | 'searchPersonsByPhone'
  | 'searchOrganizationsByName'
  | 'searchDealsByTitle'
  | 'searchLeadsByTitle'
  | 'searchProductsByName'
  | 'searchProductsByCode'
  | 'searchItemField'
> => ({
  searchPersonsByEmail: (email) =>
    guard('searchPersons', (client) => client.searchPersonsByEmail(email)),
  searchPersonsByPhone: (phone) =>
    guard('searchPersons', (client) => client.searchPersonsByPhone(phone)),
  searchOrganizationsByName: (name) =>
    guard('searchOrganization', (client) => client.searchOrganizationsByName(name)),
  searchDealsByTitle: (title, near) =>
    guard('searchDeals', (client) => client.searchDealsByTitle(title, near)),
  searchLeadsByTitle: (title, near) =>
    guard('searchLeads', (client) => client.searchLeadsByTitle(title, near)),
  searchProductsByName: (name) =>
    guard('searchProducts', (client) => client.searchProductsByName(name)),
  searchProductsByCode: (code) =>
    guard('searchProducts', (client) => client.searchProductsByCode(code)),
  searchItemField: (search) =>
    guard('searchItemByField', (client) => client.searchItemField(search)),
});
