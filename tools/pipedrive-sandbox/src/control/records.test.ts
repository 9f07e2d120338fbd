import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
let receiver: Receiver;
beforeAll(async () => {
  [sandbox, receiver] = await Promise.all([startTestSandbox(), startReceiver()]);
});
afterAll(() => Promise.all([sandbox.stop(), receiver.stop()]));

const create = async (path: string, body: object) =>
  (await sandbox.call('POST', path, body)).body.data.id;
const duplicates = async (query: string) =>
  (await sandbox.call('GET', `/control/duplicates?${query}`)).body;
const edit = (body: object) => sandbox.call('POST', '/control/edit', body);

test('duplicates are living records with one e-mail, name or title, whatever its case', async () => {
  const person = (...values: string[]) =>
    create('/api/v2/persons', { name: 'P', emails: values.map((value) => ({ value })) });
  const [a, b] = [await person('a@x.example', 'b@x.example'), await person('A@x.example ')];
  const gone = await person('b@x.example');
  await person('c@x.example', 'c@x.example');
  await sandbox.call('DELETE', `/api/v2/persons/${gone}`);
  expect(await duplicates('object=person')).toEqual([{ key: 'a@x.example', ids: [a, b] }]);

  const [one, two] = [
    await create('/api/v2/organizations', { name: 'Acme' }),
    await create('/api/v2/organizations', { name: 'ACME' }),
  ];
  expect(await duplicates('object=organization')).toEqual([{ key: 'acme', ids: [one, two] }]);
  const lead = () => create('/v1/leads', { title: 'L', person_id: a });
  const leads = [await lead(), await lead()];
  const [found] = await duplicates('object=lead');
  expect(new Set(found.ids)).toEqual(new Set(leads));
  expect((await sandbox.call('GET', '/control/duplicates?object=weather')).status).toBe(400);
});

test('duplicates by a custom field', async () => {
  const field = { field_name: 'External id', field_type: 'varchar' };
  const { field_code: code } = (await sandbox.call('POST', '/api/v2/personFields', field)).body
    .data;
  const person = (value: string) =>
    create('/api/v2/persons', { name: 'F', custom_fields: { [code]: value } });
  const ids = [await person('k1'), await person('k1')];
  await person('k2');
  expect(await duplicates(`object=person&field=${code}`)).toEqual([{ key: 'k1', ids }]);
});

test('an edit by hand changes a record for nothing, and webhooks call its source the app', async () => {
  const id = await create('/api/v2/persons', { name: 'Old' });
  const hook = { subscription_url: receiver.url, event_action: '*', event_object: 'person' };
  await sandbox.call('POST', '/v1/webhooks', { ...hook, name: 'Hook' });
  const { users } = (await sandbox.call('GET', '/control/state')).body;
  const spent = (await sandbox.call('GET', '/control/ledger')).body.tokens;
  const userId = users[1].id;
  expect((await edit({ object: 'person', id, fields: { name: 'New' }, userId })).status).toBe(200);
  expect((await sandbox.call('GET', '/control/ledger')).body.tokens).toBe(spent);
  await eventually(() => expect(receiver.received).toHaveLength(1));
  expect(receiver.received[0]?.body).toMatchObject({
    meta: { action: 'change', change_source: 'app', user_id: String(userId) },
    data: { name: 'New' },
  });
});

test('a person can also add and delete by hand', async () => {
  const added = await edit({ object: 'organization', fields: { name: 'By hand' } });
  const { id } = added.body.data;
  expect((await edit({ object: 'organization', id, fields: null })).status).toBe(200);
  const { data } = (await sandbox.call('GET', `/api/v2/organizations/${id}`)).body;
  expect(data.is_deleted).toBe(true);
});

test.each([
  [{ object: 'weather', id: 1, fields: {} }, 400],
  [{ object: 'person', id: 999_999, fields: { name: 'X' } }, 404],
  [{ object: 'person', id: 1, fields: { nonsense: 1 } }, 400],
  [{ object: 'person', id: 1, fields: {}, userId: 5 }, 400],
])('the edit %j is refused', async (body, status) => {
  expect((await edit(body)).status).toBe(status);
});
