import { afterAll, beforeAll, expect, test } from 'vitest';
import { handlers } from './http/api.ts';
import { findRoute, operations } from './operations.ts';
import { startTestSandbox, type TestSandbox } from './testing/sandbox.ts';

const FIELDS = ['Person', 'Organization', 'Deal', 'Product'].flatMap((name): [string, number][] => [
  [`v2 get${name}Fields`, 10],
  [`v2 get${name}Field`, 1],
  [`v2 add${name}Field`, 5],
  [`v2 update${name}Field`, 5],
  [`v2 delete${name}Field`, 3],
  [`v2 add${name}FieldOptions`, 5],
  [`v2 update${name}FieldOptions`, 5],
  [`v2 delete${name}FieldOptions`, 3],
]);

/** What the sandbox must serve, at the prices Pipedrive publishes. */
const SERVED = new Map<string, number>([
  ...FIELDS,
  ['v2 getPersons', 10],
  ['v2 getPerson', 1],
  ['v2 addPerson', 5],
  ['v2 updatePerson', 5],
  ['v2 deletePerson', 3],
  ['v2 searchPersons', 20],
  ['v2 getOrganizations', 10],
  ['v2 getOrganization', 1],
  ['v2 addOrganization', 5],
  ['v2 updateOrganization', 5],
  ['v2 deleteOrganization', 3],
  ['v2 searchOrganization', 20],
  ['v2 getDeals', 10],
  ['v2 getArchivedDeals', 20],
  ['v2 getDeal', 1],
  ['v2 addDeal', 5],
  ['v2 updateDeal', 5],
  ['v2 deleteDeal', 3],
  ['v2 searchDeals', 20],
  ['v2 getDealProducts', 10],
  ['v2 getDealsProducts', 10],
  ['v2 addDealProduct', 5],
  ['v2 updateDealProduct', 5],
  ['v2 deleteDealProduct', 3],
  ['v2 getProducts', 10],
  ['v2 getProduct', 1],
  ['v2 addProduct', 5],
  ['v2 updateProduct', 5],
  ['v2 deleteProduct', 3],
  ['v2 searchProducts', 20],
  ['v2 getActivities', 10],
  ['v2 getActivity', 1],
  ['v2 addActivity', 5],
  ['v2 updateActivity', 5],
  ['v2 deleteActivity', 3],
  ['v2 getActivityFields', 10],
  ['v2 getActivityField', 1],
  ['v1 getActivityTypes', 20],
  ['v2 getPipelines', 5],
  ['v2 getPipeline', 1],
  ['v2 addPipeline', 5],
  ['v2 updatePipeline', 5],
  ['v2 deletePipeline', 3],
  ['v2 getStages', 5],
  ['v2 getStage', 1],
  ['v2 addStage', 5],
  ['v2 updateStage', 5],
  ['v2 deleteStage', 3],
  ['v1 getNotes', 20],
  ['v1 getNote', 2],
  ['v1 addNote', 10],
  ['v1 updateNote', 10],
  ['v1 deleteNote', 6],
  ['v1 getNoteFields', 20],
  ['v1 mergePersons', 40],
  ['v1 mergeOrganizations', 40],
  ['v1 mergeDeals', 40],
  ['v1 getPersonChangelog', 20],
  ['v1 getOrganizationChangelog', 20],
  ['v1 getDealChangelog', 20],
  ['v2 searchLeads', 20],
  ['v1 searchLeads', 40],
  ['v2 searchItem', 20],
  ['v2 searchItemByField', 20],
  ['v1 getLeads', 20],
  ['v1 getArchivedLeads', 40],
  ['v1 getLead', 2],
  ['v1 addLead', 10],
  ['v1 updateLead', 10],
  ['v1 deleteLead', 6],
  ['v1 getLeadSources', 2],
  ['v1 getLeadFields', 20],
  ['v1 getLeadLabels', 10],
  ['v1 addLeadLabel', 10],
  ['v1 updateLeadLabel', 10],
  ['v1 deleteLeadLabel', 6],
  ['v1 getUsers', 20],
  ['v1 getUser', 2],
  ['v1 getCurrentUser', 2],
  ['v1 getWebhooks', 10],
  ['v1 addWebhook', 10],
  ['v1 deleteWebhook', 6],
]);

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.stop());

test('the sandbox serves exactly the operations named, each of them in the published table', () => {
  expect(new Set(Object.keys(handlers))).toEqual(new Set(SERVED.keys()));
  const published = new Map(operations.map((item) => [`${item.version} ${item.id}`, item.price]));
  for (const [name, price] of SERVED) expect([name, published.get(name)]).toEqual([name, price]);
});

test('a request is charged its operation’s published price', async () => {
  for (const operation of operations) {
    const name = `${operation.version} ${operation.id}`;
    if (!SERVED.has(name)) continue;
    const path = operation.path.replace(/\{[^}]+\}/g, '0');
    const prefix = operation.version === 'v2' ? '/api/v2' : '/v1';
    await sandbox.call(operation.method, `${prefix}${path}`);
    const [entry] = (await sandbox.call('GET', '/control/requests?limit=1')).body;
    expect(entry).toMatchObject({ operationId: operation.id, price: SERVED.get(name) });
  }
  const { operations: spent } = (await sandbox.call('GET', '/control/ledger')).body;
  expect(
    new Map(spent.map((row: { operation: string; tokens: number }) => [row.operation, row.tokens])),
  ).toEqual(SERVED);
});

test('a fixed path wins over a parameter', () => {
  expect(findRoute('v2', 'GET', '/persons/search')).toMatchObject({
    operation: { id: 'searchPersons' },
  });
  expect(findRoute('v1', 'GET', '/users/me')).toMatchObject({
    operation: { id: 'getCurrentUser' },
  });
  expect(findRoute('v2', 'GET', '/persons/7')).toMatchObject({ params: { id: '7' } });
});

test.each([
  ['an unknown path', 'GET', '/api/v2/unicorns', 404],
  ['the wrong prefix of v2', 'GET', '/v2/persons', 404],
  ['the wrong verb', 'PUT', '/api/v2/persons', 405],
  ['a published operation that is not served', 'GET', '/api/v2/projects', 501],
  ['a body that is not JSON', 'POST', '/api/v2/persons', 415],
])('%s is answered with its status', async (_, method, path, status) => {
  const body = method === 'POST' ? new URLSearchParams({ name: 'X' }) : undefined;
  expect((await sandbox.call(method, path, body)).status).toBe(status);
});
