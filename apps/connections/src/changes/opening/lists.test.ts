import type { WriteStep } from '@manifold/contracts';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: sender.wake });

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

const product = z.object({
  data: z.object({
    id: z.number(),
    prices: z.array(z.object({ price: z.number(), currency: z.string(), cost: z.number() })),
  }),
});
const activity = z.object({
  data: z.object({
    id: z.number(),
    participants: z.array(z.object({ person_id: z.number(), primary: z.boolean() })),
  }),
});
const makeProduct = async (...prices: object[]) =>
  product.parse(await bystander.call('POST', '/api/v2/products', { name: 'Soap', prices })).data;
const pricesOf = async (id: number) =>
  product
    .parse(await bystander.call('GET', `/api/v2/products/${id}`))
    .data.prices.map(({ price, currency, cost }) => [price, currency, cost]);
const participantsOf = async (id: number) =>
  activity
    .parse(await bystander.call('GET', `/api/v2/activities/${id}`))
    .data.participants.map(({ person_id, primary }) => [person_id, primary]);
const personNamed = async (name: string) => Number((await bystander.create('person', { name })).id);

const update = (object: 'product' | 'activity', id: number, fields: WriteStep['fields']) => ({
  name: 'step',
  operation: 'update' as const,
  object,
  identity: [{ kind: 'pipedrive_id' as const, value: String(id) }],
  fields,
});
const write = async (step: ReturnType<typeof update>, state?: 'parked') =>
  world.settled((await world.submit({ steps: [step] })).writeRequestId, state);
const undo = async (id: Awaited<ReturnType<typeof changing.planned>>) => {
  const undone = await changing.undo(id);
  await changing.reached(undone, 'awaiting_approval');
  return undone;
};

const EUR = { price: 5, currency: 'EUR', cost: 2 };
const USD = { price: 6, currency: 'USD', cost: 3 };

test('a price that is written leaves the prices in other currencies as they are', async () => {
  const { id } = await makeProduct(EUR, USD);
  const [step] = await write(update('product', id, { prices: { value: 7, currency: 'EUR' } }));
  expect(step).toMatchObject({ state: 'applied', effect: 'updated' });
  expect(await pricesOf(id)).toEqual([
    [7, 'EUR', 2],
    [6, 'USD', 3],
  ]);
  await write(update('product', id, { prices: { value: 8, currency: 'GBP' } }));
  expect(await pricesOf(id)).toEqual([
    [8, 'GBP', 0],
    [7, 'EUR', 2],
    [6, 'USD', 3],
  ]);
});

test('a price changed by a change set gets its former value back, and no other price is touched', async () => {
  const { id } = await makeProduct(EUR, USD);
  const set = await changing.planned([
    [update('product', id, { prices: { value: 7, currency: 'EUR' } })],
  ]);
  await changing.applied(set);
  expect(await pricesOf(id)).toEqual([
    [7, 'EUR', 2],
    [6, 'USD', 3],
  ]);
  await changing.applied(await undo(set));
  expect(await pricesOf(id)).toEqual([
    [5, 'EUR', 2],
    [6, 'USD', 3],
  ]);
});

test('a price written in another currency than the first stays when the change is undone', async () => {
  const { id } = await makeProduct(EUR, USD);
  const set = await changing.planned([
    [update('product', id, { prices: { value: 9, currency: 'USD' } })],
  ]);
  await changing.applied(set);
  const written = await pricesOf(id);
  expect(written).toEqual([
    [9, 'USD', 3],
    [5, 'EUR', 2],
  ]);
  const undone = await changing.undo(set);
  await changing.reached(undone, 'done');
  expect(await changing.changes(undone)).toMatchObject([{ effect: 'none', kept_keys: ['prices'] }]);
  expect(await pricesOf(id)).toEqual(written);
});

test('another person of an activity takes the place of the primary one alone, and gives it back', async () => {
  const [ann, bob, eve] = [
    await personNamed('Ann'),
    await personNamed('Bob'),
    await personNamed('Eve'),
  ];
  const participants = [{ person_id: ann, primary: true }, { person_id: bob }];
  const made = { subject: 'Call', type: 'call', participants };
  const { id } = activity.parse(await bystander.call('POST', '/api/v2/activities', made)).data;
  const set = await changing.planned([[update('activity', id, { person_id: eve })]]);
  await changing.applied(set);
  expect(await participantsOf(id)).toEqual([
    [eve, true],
    [bob, false],
  ]);
  await changing.applied(await undo(set));
  expect(await participantsOf(id)).toEqual([
    [ann, true],
    [bob, false],
  ]);
});

test('what cannot be written is parked with the field, and nothing is sent', async () => {
  const { id } = await makeProduct(EUR, USD);
  for (const fields of [{ prices: null }, { prices: { value: 9, currency: null } }]) {
    const [step] = await write(update('product', id, fields), 'parked');
    expect(step).toMatchObject({ reason: 'field_type_mismatch' });
    expect(step?.cause).toContain('prices');
  }
  expect(await pricesOf(id)).toHaveLength(2);
});
