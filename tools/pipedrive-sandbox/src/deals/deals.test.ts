import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClock, startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

const clock = createClock();
let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await startTestSandbox({ now: clock.now });
});
afterAll(() => sandbox.stop());

const make = async (body: object) => {
  const { body: answer } = await sandbox.call('POST', '/api/v2/deals', { title: 'D', ...body });
  return answer.data;
};
const change = async (id: number, body: object) =>
  (await sandbox.call('PATCH', `/api/v2/deals/${id}`, body)).body;
const ids = async (path: string): Promise<number[]> =>
  (await sandbox.call('GET', path)).body.data.map((deal: { id: number }) => deal.id);

test('a new deal stands in the first stage of the first pipeline, open and worth nothing', async () => {
  expect(await make({})).toMatchObject({
    stage_id: 1,
    pipeline_id: 1,
    status: 'open',
    value: 0,
    currency: 'EUR',
    is_archived: false,
    is_deleted: false,
  });
});

test('winning stamps its times and reopening clears them', async () => {
  const { id } = await make({});
  const now = clock.now().toISOString().replace('.000', '');
  const won = (await change(id, { status: 'won' })).data;
  expect(won).toMatchObject({ won_time: now, close_time: now, local_won_date: now.slice(0, 10) });
  const lost = (await change(id, { status: 'lost', lost_reason: 'Price' })).data;
  expect(lost).toMatchObject({ won_time: null, lost_time: now, lost_reason: 'Price' });
  const open = (await change(id, { status: 'open' })).data;
  expect(open).toMatchObject({ lost_time: null, close_time: null, lost_reason: null });
});

test('a stage brings its pipeline, a pipeline its first stage, and a move is timed', async () => {
  const call = (path: string, body: object) => sandbox.call('POST', `/api/v2/${path}`, body);
  const pipeline = (await call('pipelines', { name: 'Second' })).body.data;
  const stage = async (name: string) =>
    (await call('stages', { name, pipeline_id: pipeline.id })).body.data;
  const [one, two] = [await stage('One'), await stage('Two')];
  expect([one.order_nr, two.order_nr]).toEqual([1, 2]);
  const deal = await make({ stage_id: two.id });
  expect(deal.pipeline_id).toBe(pipeline.id);
  clock.pass(60_000);
  const moved = (await change(deal.id, { pipeline_id: 1 })).data;
  const now = clock.now().toISOString().replace('.000', '');
  expect(moved).toMatchObject({ stage_id: 1, stage_change_time: now });
  expect((await change(deal.id, { stage_id: 1, pipeline_id: pipeline.id })).error).toContain(
    'stage_id',
  );
});

test.each([
  ['no title', { title: ' ' }],
  ['a person that does not exist', { person_id: 999 }],
  ['a stage that does not exist', { stage_id: 999 }],
  ['an unknown status', { status: 'paused' }],
  ['a currency that is none', { currency: 'euro' }],
  ['a reason though it is open', { lost_reason: 'Price' }],
  ['a probability above 100', { probability: 101 }],
  ['a delete in the body', { is_deleted: true }],
])('a deal with %s is refused', async (_, body) => {
  const answer = await sandbox.call('POST', '/api/v2/deals', { title: 'D', ...body });
  expect(answer.status).toBe(400);
});

test('archived deals have a list of their own and do not change until they are back', async () => {
  const { id } = await make({});
  await change(id, { is_archived: true });
  expect(await ids('/api/v2/deals')).not.toContain(id);
  expect(await ids('/api/v2/deals/archived')).toEqual([id]);
  expect((await change(id, { title: 'B' })).success).toBe(false);
  expect((await change(id, { title: 'B', is_archived: false })).data.title).toBe('B');
});

test('lists filter by status, deleted ones included only by name', async () => {
  const { id: won } = await make({ status: 'won' });
  const { id: gone } = await make({});
  await sandbox.call('DELETE', `/api/v2/deals/${gone}`);
  expect(await ids('/api/v2/deals?status=won')).toEqual([won]);
  expect(await ids('/api/v2/deals')).not.toContain(gone);
  expect(await ids('/api/v2/deals?status=won,deleted')).toEqual([won, gone]);
  expect((await sandbox.call('GET', '/api/v2/deals?status=paused')).status).toBe(400);
});

test('deals have custom fields, labels and counts on request', async () => {
  const { fields } = (await sandbox.call('POST', '/control/generate', { seed: 1 })).body;
  const code = fields.deal.varchar;
  const { options } = (await sandbox.call('GET', '/api/v2/dealFields/label_ids')).body.data;
  const deal = await make({ custom_fields: { [code]: 'x' }, label_ids: [options[0].id] });
  expect(deal.custom_fields[code]).toBe('x');
  await sandbox.call('POST', '/v1/notes', { content: 'n', deal_id: deal.id });
  const query = 'include_fields=notes_count,smart_bcc_email&include_labels=true';
  const path = `/api/v2/deals/${deal.id}?${query}&custom_fields=${code}`;
  expect((await sandbox.call('GET', path)).body.data).toMatchObject({
    notes_count: 1,
    labels: [{ id: options[0].id, label: 'Hot' }],
    custom_fields: { [code]: 'x' },
  });
});

test('a deal is worth its products, less their discounts', async () => {
  const product = (await sandbox.call('POST', '/api/v2/products', { name: 'P' })).body.data;
  const { id } = await make({ value: 7 });
  const attach = async (body: object) =>
    (
      await sandbox.call('POST', `/api/v2/deals/${id}/products`, {
        product_id: product.id,
        ...body,
      })
    ).body.data;
  await attach({ item_price: 100, quantity: 2, discount: 10 });
  const second = await attach({ item_price: 5, quantity: 1 });
  const value = async () => (await sandbox.call('GET', `/api/v2/deals/${id}`)).body.data.value;
  expect(await value()).toBe(185);
  const path = `/api/v2/deals/${id}/products/${second.id}`;
  await sandbox.call('PATCH', path, { quantity: 3 });
  expect(await value()).toBe(195);
  const { data } = (
    await sandbox.call('GET', `/api/v2/deals/products?deal_ids=${id}&sort_by=order_nr`)
  ).body;
  expect(data).toHaveLength(2);
});

test('persons can be listed by their deal', async () => {
  const person = (await sandbox.call('POST', '/api/v2/persons', { name: 'Buyer' })).body.data;
  const { id } = await make({ person_id: person.id });
  expect(await ids(`/api/v2/persons?deal_id=${id}`)).toEqual([person.id]);
  const path = `/api/v2/persons/${person.id}?include_fields=open_deals_count`;
  expect((await sandbox.call('GET', path)).body.data.open_deals_count).toBe(1);
});
