import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { type Received, type Receiver, startReceiver } from '../testing/receiver.ts';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
let receiver: Receiver;
let personId: number;

beforeAll(async () => {
  sandbox = await startTestSandbox();
  receiver = await startReceiver();
  personId = (await sandbox.call('POST', '/api/v2/persons', { name: 'P' })).body.data.id;
  await sandbox.call('POST', '/v1/webhooks', {
    subscription_url: `${receiver.url}/all`,
    event_action: '*',
    event_object: '*',
    name: 'All',
  });
});
afterAll(async () => {
  await sandbox.stop();
  await receiver.stop();
});

async function told(event: string): Promise<Received['body']> {
  const find = () =>
    receiver.received.find(({ body }) => `${body.meta.action}.${body.meta.entity}` === event);
  await eventually(() => expect(find()).toBeDefined());
  return find()?.body;
}

test('a deal keeps its label ids and has no dates of the account', async () => {
  const body = { title: 'D', person_id: personId };
  const { id } = (await sandbox.call('POST', '/api/v2/deals', body)).body.data;
  const { meta, data } = await told('create.deal');
  expect(meta.entity_id).toBe(String(id));
  expect(data).toMatchObject({ title: 'D', visible_to: '3', label_ids: [], first_won_time: null });
  expect(data).not.toHaveProperty('local_won_date');
  await sandbox.call('PATCH', `/api/v2/deals/${id}`, { value: 5 });
  expect((await told('change.deal')).previous).toEqual({ value: 0 });
  await sandbox.call('DELETE', `/api/v2/deals/${id}`);
  expect(await told('delete.deal')).toMatchObject({ data: null, previous: { value: 5 } });
});

test('an activity has flags of v1 and times as objects', async () => {
  await sandbox.call('POST', '/api/v2/activities', { subject: 'S', due_time: '10:00' });
  expect((await told('create.activity')).data).toMatchObject({
    active_flag: true,
    busy_flag: false,
    due_time: { timezone_id: null, value: '10:00:00' },
    duration: null,
    custom_fields: {},
  });
});

test('a product is selectable', async () => {
  await sandbox.call('POST', '/api/v2/products', { name: 'P', code: 'C' });
  const { data } = await told('create.product');
  expect(data).toMatchObject({ selectable: true, code: 'C', visible_to: '3', custom_fields: {} });
  expect(data.prices).toMatchObject([{ product_id: data.id, currency: 'EUR' }]);
});

test('a note has times of v2, and a deleted one says so', async () => {
  const body = { content: 'N', person_id: personId };
  const { id } = (await sandbox.call('POST', '/v1/notes', body)).body.data;
  const { data } = await told('create.note');
  expect(data).toMatchObject({ id, content: 'N', active_flag: true, project_id: null });
  expect(data.add_time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  expect(data).not.toHaveProperty('custom_fields');
  await sandbox.call('DELETE', `/v1/notes/${id}`);
  expect((await told('delete.note')).previous).toMatchObject({ id, active_flag: false });
});

test('pipelines and stages keep the names of v1', async () => {
  const pipeline = { name: 'Sample pipeline', is_deal_probability_enabled: true };
  const { id } = (await sandbox.call('POST', '/api/v2/pipelines', pipeline)).body.data;
  expect((await told('create.pipeline')).data).toMatchObject({
    url_title: 'Sample-pipeline',
    deal_probability: true,
    active_flag: true,
  });
  await sandbox.call('POST', '/api/v2/stages', { name: 'S', pipeline_id: id });
  expect((await told('create.stage')).data).toMatchObject({
    rotten_flag: false,
    rotten_days: null,
    pipeline_id: id,
  });
});
