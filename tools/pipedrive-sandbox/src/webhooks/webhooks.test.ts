import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
let receiver: Receiver;

beforeAll(async () => {
  sandbox = await startTestSandbox({ webhookRetryDelaysMs: [20, 20, 20] });
});
beforeEach(async () => {
  for (const { id } of (await sandbox.call('GET', '/v1/webhooks')).body.data)
    await sandbox.call('DELETE', `/v1/webhooks/${id}`);
  await receiver?.stop();
  receiver = await startReceiver();
});
afterAll(async () => {
  await sandbox.stop();
  await receiver.stop();
});

function subscribe(more: Record<string, unknown> = {}) {
  return sandbox.call('POST', '/v1/webhooks', {
    subscription_url: `${receiver.url}/hook`,
    event_action: '*',
    event_object: '*',
    name: 'Test',
    ...more,
  });
}

async function createPerson(name = 'Hooked Person'): Promise<number> {
  return (await sandbox.call('POST', '/api/v2/persons', { name, visible_to: 3 })).body.data.id;
}

test('create, change and delete tell what there is, what was, and what was last', async () => {
  const hook = (await subscribe({ http_auth_user: 'u', http_auth_password: 'p' })).body.data;
  const id = await createPerson('Old Name');
  await sandbox.call('PATCH', `/api/v2/persons/${id}`, { last_name: 'New' });
  await sandbox.call('DELETE', `/api/v2/persons/${id}`);
  await eventually(() => expect(receiver.received).toHaveLength(3));

  const byAction = Object.fromEntries(
    receiver.received.map(({ body }) => [body.meta.action, body]),
  );
  expect(receiver.received[0]?.authorization).toBe(`Basic ${btoa('u:p')}`);
  expect(byAction.create.meta).toMatchObject({
    entity: 'person',
    entity_id: String(id),
    company_id: expect.stringMatching(/^\d+$/),
    user_id: expect.stringMatching(/^\d+$/),
    webhook_id: String(hook.id),
    type: 'general',
    version: '2.0',
    attempt: 1,
    change_source: 'api',
    permitted_user_ids: [expect.any(String), expect.any(String), expect.any(String)],
  });
  expect(byAction.create).toMatchObject({
    data: { name: 'Old Name', visible_to: '3' },
    previous: null,
  });
  expect(byAction.create.data).not.toHaveProperty('label_ids');
  expect(byAction.change.data.name).toBe('Old New');
  expect(byAction.change.previous).toMatchObject({ name: 'Old Name', last_name: 'Name' });
  expect(byAction.change.previous).not.toHaveProperty('emails');
  expect(byAction.delete).toMatchObject({ data: null, previous: { name: 'Old New' } });
});

test('previous of a change names only the custom fields that changed', async () => {
  const { fields } = (await sandbox.call('POST', '/control/generate', { seed: 9 })).body;
  const { varchar, monetary, double } = fields.person;
  const custom_fields = { [varchar]: 'a', [double]: 1 };
  const body = { name: 'C', custom_fields };
  const { id } = (await sandbox.call('POST', '/api/v2/persons', body)).body.data;
  await subscribe({ event_action: 'change' });
  const patch = { custom_fields: { [varchar]: 'b', [monetary]: { value: 5, currency: 'EUR' } } };
  await sandbox.call('PATCH', `/api/v2/persons/${id}`, patch);
  await eventually(() => expect(receiver.received).toHaveLength(1));
  const { data, previous } = receiver.received[0]?.body ?? {};
  expect(previous.custom_fields).toEqual({
    [varchar]: { type: 'varchar', value: 'a' },
    [monetary]: null,
  });
  expect(data.custom_fields[monetary]).toEqual({ type: 'monetary', value: 5, currency: 'EUR' });
  expect(data.custom_fields[double]).toEqual({ type: 'double', value: 1 });
});

test('leads tell their changes with their uuid', async () => {
  const personId = await createPerson();
  await subscribe({ event_object: 'lead' });
  const body = { title: 'L', person_id: personId };
  const { id } = (await sandbox.call('POST', '/v1/leads', body)).body.data;
  await eventually(() => expect(receiver.received).toHaveLength(1));
  expect(receiver.received[0]?.body).toMatchObject({
    meta: { entity: 'lead', entity_id: id },
    data: { title: 'L', person_id: personId, custom_fields: {} },
  });
});

test('a webhook hears of its own action and object only', async () => {
  await subscribe({ event_action: 'delete', event_object: 'organization' });
  await createPerson();
  const { id } = (await sandbox.call('POST', '/api/v2/organizations', { name: 'O' })).body.data;
  await sandbox.call('DELETE', `/api/v2/organizations/${id}`);
  await eventually(() => expect(receiver.received).toHaveLength(1));
  expect(receiver.received[0]?.body.meta).toMatchObject({
    action: 'delete',
    entity: 'organization',
  });
});

test('a failed delivery is tried four times in all, with the same event id, and then dropped', async () => {
  await subscribe();
  receiver.answers.push(500, 404, 301, 503);
  await createPerson();
  await eventually(() => expect(receiver.received).toHaveLength(4));
  expect(receiver.received.map(({ body }) => body.meta.attempt)).toEqual([1, 2, 3, 4]);
  expect(new Set(receiver.received.map(({ body }) => body.meta.id)).size).toBe(1);
  await eventually(async () => {
    const [newest] = (await sandbox.call('GET', '/control/deliveries')).body;
    expect(newest).toMatchObject({ state: 'dropped', attempt: 4, status: 503 });
  });
  const [hook] = (await sandbox.call('GET', '/v1/webhooks')).body.data;
  expect(hook).toMatchObject({ last_http_status: 503, last_delivery_time: null });
});

test('a dropped hook is never sent, the next one is', async () => {
  await subscribe();
  const match = { event: 'create.person' };
  await sandbox.call('POST', '/control/faults', { match, kind: 'drop-hook', times: 1 });
  await createPerson('Lost');
  await createPerson('Heard');
  await eventually(() => expect(receiver.received).toHaveLength(1));
  expect(receiver.received[0]?.body.data.name).toBe('Heard');
});

test('a change that failed sends nothing', async () => {
  await subscribe();
  await sandbox.call('POST', '/api/v2/persons', { name: '', owner_id: 1 });
  const id = await createPerson();
  await sandbox.call('PATCH', `/api/v2/persons/${id}`, { name: 'Hooked Person' });
  await sandbox.call('DELETE', `/api/v2/persons/${id}`);
  await eventually(() => expect(receiver.received).toHaveLength(2));
  const actions = receiver.received.map(({ body }) => body.meta.action);
  expect(new Set(actions)).toEqual(new Set(['create', 'delete']));
});

test('a change can be made to look like one from Pipedrive’s own pages', async () => {
  await subscribe();
  const headers = { 'x-sandbox-change-source': 'app' };
  await sandbox.call('POST', '/api/v2/persons', { name: 'By hand' }, headers);
  await eventually(() => expect(receiver.received[0]?.body.meta.change_source).toBe('app'));
});

test.each([
  ['nobody listens there', 'http://127.0.0.1:1/hook'],
  ['it is not a URL', 'hook'],
  ['it is not HTTP', 'ftp://127.0.0.1/hook'],
])('a subscription is refused when %s', async (_, subscription_url) => {
  const { status, body } = await subscribe({ subscription_url });
  expect(status).toBe(400);
  expect(body.errors.subscription_url).toEqual(['invalid or non-reachable URL']);
});

test('the API itself cannot be a subscriber, and unknown events are refused', async () => {
  expect((await subscribe({ subscription_url: `${sandbox.url}/v1/leads` })).status).toBe(400);
  expect((await subscribe({ event_object: 'weather' })).body.errors).toHaveProperty('event_object');
  expect((await subscribe({ name: undefined })).body.errors).toEqual({ name: ['Required'] });
});

test('the forty-first webhook is refused with 422', async () => {
  for (let at = 0; at < 40; at += 1) expect((await subscribe()).status).toBe(201);
  expect((await subscribe()).status).toBe(422);
});

test('deleting a webhook twice is 404 the second time', async () => {
  const { id } = (await subscribe()).body.data;
  expect((await sandbox.call('DELETE', `/v1/webhooks/${id}`)).body).toEqual({
    status: 'ok',
    success: true,
  });
  const again = await sandbox.call('DELETE', `/v1/webhooks/${id}`);
  expect([again.status, again.body.errors]).toEqual([404, { id: ['not found'] }]);
});
