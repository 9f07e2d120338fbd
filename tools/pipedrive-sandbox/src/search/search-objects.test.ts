import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClock, startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

const LAG_MS = 400;
const clock = createClock();
let sandbox: TestSandbox;
let personId: number;
let organizationId: number;

beforeAll(async () => {
  sandbox = await startTestSandbox({ now: clock.now, searchLagMs: LAG_MS });
  const make = async (path: string, body: object) =>
    (await sandbox.call('POST', path, body)).body.data.id;
  organizationId = await make('/api/v2/organizations', { name: 'Rocket Works' });
  personId = await make('/api/v2/persons', {
    name: 'Rocket Rita',
    emails: [{ value: 'rita@example.com' }],
    phones: [{ value: '+372 5551234' }],
  });
  await make('/api/v2/deals', {
    title: 'Rocket deal',
    person_id: personId,
    org_id: organizationId,
  });
  await make('/api/v2/deals', { title: 'Rocket deal', status: 'won' });
  await make('/api/v2/products', { name: 'Rocket', code: 'RK-9' });
  await make('/v1/leads', { title: 'Rocket lead', person_id: personId });
});
afterAll(() => sandbox.stop());

const search = async (path: string) =>
  (await sandbox.call('GET', `/api/v2/${path}`)).body.data.items.map(
    (hit: { item: object }) => hit.item,
  );

test('new deals, leads and products are found only after the lag', async () => {
  expect(await search('itemSearch?term=rocket')).toEqual([]);
  clock.pass(LAG_MS);
  expect(await search('deals/search?term=rocket')).toHaveLength(2);
  expect(await search('leads/search?term=rocket')).toHaveLength(1);
  expect(await search('products/search?term=rk-9')).toHaveLength(1);
});

test('deals filter by person, organization and status', async () => {
  const [item] = await search(`deals/search?term=rocket&person_id=${personId}&status=open`);
  expect(item).toMatchObject({
    type: 'deal',
    title: 'Rocket deal',
    status: 'open',
    stage: { id: 1, name: 'Qualified' },
    person: { id: personId, name: 'Rocket Rita' },
    organization: { id: organizationId, name: 'Rocket Works' },
  });
  expect(await search(`deals/search?term=rocket&organization_id=${organizationId}`)).toHaveLength(
    1,
  );
  expect(await search('deals/search?term=rocket&status=lost')).toEqual([]);
});

test('a lead is found with the contacts of its person, in both versions', async () => {
  const [item] = await search('leads/search?term=Rocket%20Lead&exact_match=true');
  expect(item).toMatchObject({ type: 'lead', emails: ['rita@example.com'], is_archived: false });
  const { body } = await sandbox.call('GET', '/v1/leads/search?term=rocket&limit=1');
  expect(body.data.items[0].item.id).toBe(item.id);
  expect(body.additional_data).toEqual({ start: 0, limit: 1, more_items_in_collection: false });
});

test('a person is found by phone, whole or in part', async () => {
  const byPhone = (term: string, exact: boolean) =>
    search(
      `persons/search?${new URLSearchParams({ term, fields: 'phone', exact_match: String(exact) }).toString()}`,
    );
  expect(await byPhone('+372 5551234', true)).toMatchObject([{ id: personId }]);
  expect(await byPhone('5551234', false)).toMatchObject([{ id: personId }]);
  expect(await byPhone('5551234', true)).toEqual([]);
});

test('the search over everything names the types, in pages of a hundred at most', async () => {
  const types = (await search('itemSearch?term=rocket')).map((item: { type: string }) => item.type);
  expect(types).toEqual(['person', 'organization', 'deal', 'deal', 'lead', 'product']);
  const some = await search('itemSearch?term=rocket&item_types=product,lead');
  expect(some.map((item: { type: string }) => item.type)).toEqual(['product', 'lead']);
  const first = (await sandbox.call('GET', '/api/v2/itemSearch?term=rocket&limit=4')).body;
  const next = `itemSearch?term=rocket&limit=4&cursor=${first.additional_data.next_cursor}`;
  expect(await search(next)).toHaveLength(2);
  expect((await sandbox.call('GET', '/api/v2/itemSearch?term=rocket&limit=101')).status).toBe(400);
});

test('records are found by their notes', async () => {
  const note = { content: 'Wants a moonshot', person_id: personId };
  await sandbox.call('POST', '/v1/notes', note);
  clock.pass(LAG_MS);
  expect(await search('persons/search?term=moonshot&fields=notes')).toMatchObject([
    { id: personId, notes: ['Wants a moonshot'] },
  ]);
  expect(await search('persons/search?term=moonshot&fields=name')).toEqual([]);
});

test.each([
  ['deal', 'title', 'Rocket deal', 2],
  ['lead', 'title', 'Rocket lead', 1],
  ['product', 'code', 'RK-9', 1],
  ['product', 'code', 'rk-9', 0],
])('%s by its %s "%s": %i', async (entity_type, field, term, count) => {
  const query = new URLSearchParams({ entity_type, field, term, match: 'exact' }).toString();
  const { body } = await sandbox.call('GET', `/api/v2/itemSearch/field?${query}`);
  expect(body.data).toHaveLength(count);
});
