/** One call of Pipedrive's API, with its published price in tokens of the company's daily budget. */
export interface Operation {
  readonly version: 'v1' | 'v2';
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly priceTokens: number;
  /** Searches share a window of their own, 10 per 2 s on every plan. */
  readonly lane: 'search' | 'other';
}

const entry = (
  version: Operation['version'],
  method: Operation['method'],
  path: string,
  priceTokens: number,
): Operation => ({
  version,
  method,
  path,
  priceTokens,
  lane: /\/(search|itemSearch)(\/|$)/.test(path) ? 'search' : 'other',
});

/** Every operation Manifold uses, by Pipedrive's operation id. Prices: `x-token-cost` of its OpenAPI files. */
export const operations = {
  getCurrentUser: entry('v1', 'GET', '/users/me', 2),
  getUsers: entry('v1', 'GET', '/users', 20),

  getPersons: entry('v2', 'GET', '/persons', 10),
  getPerson: entry('v2', 'GET', '/persons/{id}', 1),
  addPerson: entry('v2', 'POST', '/persons', 5),
  updatePerson: entry('v2', 'PATCH', '/persons/{id}', 5),
  deletePerson: entry('v2', 'DELETE', '/persons/{id}', 3),
  searchPersons: entry('v2', 'GET', '/persons/search', 20),
  mergePersons: entry('v1', 'PUT', '/persons/{id}/merge', 40),
  getPersonChangelog: entry('v1', 'GET', '/persons/{id}/changelog', 20),

  getOrganizations: entry('v2', 'GET', '/organizations', 10),
  getOrganization: entry('v2', 'GET', '/organizations/{id}', 1),
  addOrganization: entry('v2', 'POST', '/organizations', 5),
  updateOrganization: entry('v2', 'PATCH', '/organizations/{id}', 5),
  deleteOrganization: entry('v2', 'DELETE', '/organizations/{id}', 3),
  searchOrganization: entry('v2', 'GET', '/organizations/search', 20),
  mergeOrganizations: entry('v1', 'PUT', '/organizations/{id}/merge', 40),
  getOrganizationChangelog: entry('v1', 'GET', '/organizations/{id}/changelog', 20),

  getDeals: entry('v2', 'GET', '/deals', 10),
  getDeal: entry('v2', 'GET', '/deals/{id}', 1),
  addDeal: entry('v2', 'POST', '/deals', 5),
  updateDeal: entry('v2', 'PATCH', '/deals/{id}', 5),
  deleteDeal: entry('v2', 'DELETE', '/deals/{id}', 3),
  getArchivedDeals: entry('v2', 'GET', '/deals/archived', 20),
  searchDeals: entry('v2', 'GET', '/deals/search', 20),
  mergeDeals: entry('v1', 'PUT', '/deals/{id}/merge', 40),
  getDealChangelog: entry('v1', 'GET', '/deals/{id}/changelog', 20),
  getPipelines: entry('v2', 'GET', '/pipelines', 5),
  getStages: entry('v2', 'GET', '/stages', 5),

  getActivities: entry('v2', 'GET', '/activities', 10),
  getActivity: entry('v2', 'GET', '/activities/{id}', 1),
  addActivity: entry('v2', 'POST', '/activities', 5),
  updateActivity: entry('v2', 'PATCH', '/activities/{id}', 5),
  deleteActivity: entry('v2', 'DELETE', '/activities/{id}', 3),
  getActivityTypes: entry('v1', 'GET', '/activityTypes', 20),

  getProducts: entry('v2', 'GET', '/products', 10),
  getProduct: entry('v2', 'GET', '/products/{id}', 1),
  addProduct: entry('v2', 'POST', '/products', 5),
  updateProduct: entry('v2', 'PATCH', '/products/{id}', 5),
  deleteProduct: entry('v2', 'DELETE', '/products/{id}', 3),
  searchProducts: entry('v2', 'GET', '/products/search', 20),

  getLeads: entry('v1', 'GET', '/leads', 20),
  getLead: entry('v1', 'GET', '/leads/{id}', 2),
  addLead: entry('v1', 'POST', '/leads', 10),
  updateLead: entry('v1', 'PATCH', '/leads/{id}', 10),
  deleteLead: entry('v1', 'DELETE', '/leads/{id}', 6),
  getArchivedLeads: entry('v1', 'GET', '/leads/archived', 40),
  searchLeads: entry('v2', 'GET', '/leads/search', 20),
  convertLeadToDeal: entry('v2', 'POST', '/leads/{id}/convert/deal', 40),
  getLeadConversionStatus: entry('v2', 'GET', '/leads/{id}/convert/status/{conversionId}', 1),
  getLeadLabels: entry('v1', 'GET', '/leadLabels', 10),

  getNotes: entry('v1', 'GET', '/notes', 20),
  getNote: entry('v1', 'GET', '/notes/{id}', 2),
  addNote: entry('v1', 'POST', '/notes', 10),
  updateNote: entry('v1', 'PUT', '/notes/{id}', 10),
  deleteNote: entry('v1', 'DELETE', '/notes/{id}', 6),

  searchItemByField: entry('v2', 'GET', '/itemSearch/field', 20),

  getPersonFields: entry('v2', 'GET', '/personFields', 10),
  getPersonField: entry('v2', 'GET', '/personFields/{code}', 1),
  addPersonField: entry('v2', 'POST', '/personFields', 5),
  updatePersonField: entry('v2', 'PATCH', '/personFields/{code}', 5),
  deletePersonField: entry('v2', 'DELETE', '/personFields/{code}', 3),
  addPersonFieldOptions: entry('v2', 'POST', '/personFields/{code}/options', 5),
  updatePersonFieldOptions: entry('v2', 'PATCH', '/personFields/{code}/options', 5),
  deletePersonFieldOptions: entry('v2', 'DELETE', '/personFields/{code}/options', 3),

  getOrganizationFields: entry('v2', 'GET', '/organizationFields', 10),
  getOrganizationField: entry('v2', 'GET', '/organizationFields/{code}', 1),
  addOrganizationField: entry('v2', 'POST', '/organizationFields', 5),
  updateOrganizationField: entry('v2', 'PATCH', '/organizationFields/{code}', 5),
  deleteOrganizationField: entry('v2', 'DELETE', '/organizationFields/{code}', 3),
  addOrganizationFieldOptions: entry('v2', 'POST', '/organizationFields/{code}/options', 5),
  updateOrganizationFieldOptions: entry('v2', 'PATCH', '/organizationFields/{code}/options', 5),
  deleteOrganizationFieldOptions: entry('v2', 'DELETE', '/organizationFields/{code}/options', 3),

  getDealFields: entry('v2', 'GET', '/dealFields', 10),
  getDealField: entry('v2', 'GET', '/dealFields/{code}', 1),
  addDealField: entry('v2', 'POST', '/dealFields', 5),
  updateDealField: entry('v2', 'PATCH', '/dealFields/{code}', 5),
  deleteDealField: entry('v2', 'DELETE', '/dealFields/{code}', 3),
  addDealFieldOptions: entry('v2', 'POST', '/dealFields/{code}/options', 5),
  updateDealFieldOptions: entry('v2', 'PATCH', '/dealFields/{code}/options', 5),
  deleteDealFieldOptions: entry('v2', 'DELETE', '/dealFields/{code}/options', 3),

  getProductFields: entry('v2', 'GET', '/productFields', 10),
  getProductField: entry('v2', 'GET', '/productFields/{code}', 1),
  addProductField: entry('v2', 'POST', '/productFields', 5),
  updateProductField: entry('v2', 'PATCH', '/productFields/{code}', 5),
  deleteProductField: entry('v2', 'DELETE', '/productFields/{code}', 3),
  addProductFieldOptions: entry('v2', 'POST', '/productFields/{code}/options', 5),
  updateProductFieldOptions: entry('v2', 'PATCH', '/productFields/{code}/options', 5),
  deleteProductFieldOptions: entry('v2', 'DELETE', '/productFields/{code}/options', 3),

  getActivityFields: entry('v2', 'GET', '/activityFields', 10),
  getLeadFields: entry('v1', 'GET', '/leadFields', 20),
  getNoteFields: entry('v1', 'GET', '/noteFields', 20),

  getWebhooks: entry('v1', 'GET', '/webhooks', 10),
  addWebhook: entry('v1', 'POST', '/webhooks', 10),
  deleteWebhook: entry('v1', 'DELETE', '/webhooks/{id}', 6),
} as const satisfies Record<string, Operation>;

/** Pipedrive's operation id, as the ledger and `onCall` name a call. */
export type OperationName = keyof typeof operations;
