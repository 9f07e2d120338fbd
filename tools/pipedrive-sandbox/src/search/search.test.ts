import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClock, startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

const LAG_MS = 400;
const clock = createClock();
let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await startTestSandbox({ now: clock.now, searchLagMs: LAG_MS });
});
afterAll(() => sandbox.stop());

async function names(path: string): Promise<string[]> {
  const { data } = (await sandbox.call('GET', path)).body;
  const items = Array.isArray(data) ? data : data.items.map((hit: { item: object }) => hit.item);
  return items.map((item: { name: string }) => item.name);
}

const byEmail = (term: string) =>
  names(
    `/api/v2/persons/search?${new URLSearchParams({ term, fields: 'email', exact_match: 'true' }).toString()}`,
  );

test('what was just written is found only after the lag, and what was replaced is found until then', async () => {
  const emails = [{ value: 'Old@Example.com' }];
  const body = { name: 'Lagging', emails };
  const { id } = (await sandbox.call('POST', '/api/v2/persons', body)).body.data;
  expect(await byEmail('old@example.com')).toEqual([]);
  clock.pass(LAG_MS);
  expect(await byEmail('old@example.com')).toEqual(['Lagging']);

  await sandbox.call('PATCH', `/api/v2/persons/${id}`, { emails: [{ value: 'new@example.com' }] });
  expect(await byEmail('old@example.com')).toEqual(['Lagging']);
  clock.pass(LAG_MS);
  expect(await byEmail('old@example.com')).toEqual([]);
  expect(await byEmail('NEW@example.COM')).toEqual(['Lagging']);
  expect(await byEmail('new@example')).toEqual([]);
});

test('deleted persons leave the index, deleted organizations haunt it', async () => {
  const person = (await sandbox.call('POST', '/api/v2/persons', { name: 'Leaver' })).body.data;
  const ghost = (await sandbox.call('POST', '/api/v2/organizations', { name: 'Ghost' })).body.data;
  clock.pass(LAG_MS);
  await sandbox.call('DELETE', `/api/v2/persons/${person.id}`);
  await sandbox.call('DELETE', `/api/v2/organizations/${ghost.id}`);
  clock.pass(LAG_MS);
  expect(await names('/api/v2/persons/search?term=leaver')).toEqual([]);
  expect(await names('/api/v2/organizations/search?term=ghost')).toEqual(['Ghost']);
  expect((await sandbox.call('GET', `/api/v2/organizations?ids=${ghost.id}`)).body.data).toEqual(
    [],
  );
});

test('search by field minds the case, search by entity does not', async () => {
  const { fields } = (await sandbox.call('POST', '/control/generate', { seed: 3 })).body;
  const code = fields.organization.varchar;
  const body = { name: 'Cased', custom_fields: { [code]: 'shop-ÄÖ.Example' } };
  await sandbox.call('POST', '/api/v2/organizations', body);
  clock.pass(LAG_MS);
  const byField = (term: string, match: string) =>
    names(
      `/api/v2/itemSearch/field?${new URLSearchParams({ term, match, entity_type: 'organization', field: code }).toString()}`,
    );
  expect(await byField('shop-ÄÖ.Example', 'exact')).toEqual(['Cased']);
  expect(await byField('SHOP-ÄÖ.Example', 'exact')).toEqual([]);
  expect(await byField('shop', 'beginning')).toEqual(['Cased']);
  expect(await byField('Example', 'beginning')).toEqual([]);
  expect(await byField('Ö.Ex', 'middle')).toEqual(['Cased']);
  const entity = '/api/v2/organizations/search?exact_match=true&fields=custom_fields&term=';
  expect(await names(`${entity}${encodeURIComponent('SHOP-äö.example')}`)).toEqual(['Cased']);
  expect(await names(`${entity}Cased`)).toEqual([]);
});

test('a website is not searchable, and an organization filters persons', async () => {
  const organization = { name: 'Webbed', website: 'https://webbed.example' };
  const { id } = (await sandbox.call('POST', '/api/v2/organizations', organization)).body.data;
  await sandbox.call('POST', '/api/v2/persons', { name: 'Member', org_id: id });
  await sandbox.call('POST', '/api/v2/persons', { name: 'Member' });
  clock.pass(LAG_MS);
  expect(await names('/api/v2/organizations/search?term=webbed.example')).toEqual([]);
  expect(await names(`/api/v2/persons/search?term=member&organization_id=${id}`)).toEqual([
    'Member',
  ]);
  expect(await names('/api/v2/persons/search?term=member')).toEqual(['Member', 'Member']);
});

test('pages of hits follow each other', async () => {
  for (let at = 0; at < 3; at += 1)
    await sandbox.call('POST', '/api/v2/persons', { name: `Paged ${at}` });
  clock.pass(LAG_MS);
  const first = (await sandbox.call('GET', '/api/v2/persons/search?term=paged&limit=2')).body;
  const cursor = first.additional_data.next_cursor;
  expect(first.data.items).toHaveLength(2);
  expect(await names(`/api/v2/persons/search?term=paged&limit=2&cursor=${cursor}`)).toEqual([
    'Paged 2',
  ]);
});

test.each([
  ['one letter', '/api/v2/persons/search?term=a'],
  ['no term', '/api/v2/persons/search'],
  ['a field that cannot be searched', '/api/v2/persons/search?term=ab&fields=website'],
  ['an unknown entity', '/api/v2/itemSearch/field?term=ab&field=name&entity_type=house'],
])('%s is refused', async (_, path) => {
  expect((await sandbox.call('GET', path)).status).toBe(400);
});
