import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
let receiver: Receiver;

beforeAll(async () => {
  sandbox = await startTestSandbox();
  receiver = await startReceiver();
});
afterAll(async () => {
  await sandbox.stop();
  await receiver.stop();
});

const make = async (path: string, body: object) => {
  return (await sandbox.call('POST', path, body)).body.data;
};
const read = async (path: string) => (await sandbox.call('GET', path)).body.data;
const merge = (object: string, loser: number, survivor: number) =>
  sandbox.call('PUT', `/v1/${object}/${loser}/merge`, { merge_with_id: survivor });

test('the survivor wins conflicts, its empty values are filled and its contacts are joined', async () => {
  const organization = await make('/api/v2/organizations', { name: 'O' });
  const loser = await make('/api/v2/persons', {
    name: 'Loser',
    org_id: organization.id,
    emails: [{ value: 'l@example.com' }],
    phones: [{ value: '+1' }],
  });
  const survivor = await make('/api/v2/persons', {
    name: 'Survivor',
    emails: [{ value: 's@example.com' }],
  });
  const { status, body } = await merge('persons', loser.id, survivor.id);
  expect(status).toBe(200);
  expect(body.data).toMatchObject({ id: survivor.id, merge_what_id: loser.id, name: 'Survivor' });
  const person = await read(`/api/v2/persons/${survivor.id}`);
  expect(person).toMatchObject({ name: 'Survivor', org_id: organization.id });
  expect(person.emails).toMatchObject([
    { value: 's@example.com', primary: true },
    { value: 'l@example.com', primary: false },
  ]);
  expect(person.phones).toMatchObject([{ value: '+1', primary: true }]);
  expect(await read(`/api/v2/persons?ids=${loser.id}`)).toEqual([]);
});

test('notes, activities, deals and leads of a person move to the survivor', async () => {
  const loser = await make('/api/v2/persons', { name: 'A' });
  const survivor = await make('/api/v2/persons', { name: 'B' });
  const deal = await make('/api/v2/deals', { title: 'D', person_id: loser.id });
  const lead = await make('/v1/leads', { title: 'L', person_id: loser.id });
  const note = await make('/v1/notes', { content: 'N', person_id: loser.id });
  const activity = await make('/api/v2/activities', {
    participants: [{ person_id: loser.id, primary: true }, { person_id: survivor.id }],
  });
  await merge('persons', loser.id, survivor.id);
  expect((await read(`/api/v2/deals/${deal.id}`)).person_id).toBe(survivor.id);
  expect((await read(`/v1/leads/${lead.id}`)).person_id).toBe(survivor.id);
  expect((await read(`/v1/notes/${note.id}`)).person_id).toBe(survivor.id);
  expect(await read(`/api/v2/activities/${activity.id}`)).toMatchObject({
    person_id: survivor.id,
    participants: [{ person_id: survivor.id, primary: true }],
  });
});

test('the persons and deals of an organization move, and the answer is its id alone', async () => {
  const loser = await make('/api/v2/organizations', { name: 'A' });
  const survivor = await make('/api/v2/organizations', { name: 'B' });
  const person = await make('/api/v2/persons', { name: 'P', org_id: loser.id });
  const deal = await make('/api/v2/deals', { title: 'D', org_id: loser.id });
  const { body } = await merge('organizations', loser.id, survivor.id);
  expect(body).toEqual({ success: true, data: { id: survivor.id } });
  expect((await read(`/api/v2/persons/${person.id}`)).org_id).toBe(survivor.id);
  expect((await read(`/api/v2/deals/${deal.id}`)).org_id).toBe(survivor.id);
});

test('the products and activities of a deal move', async () => {
  const product = await make('/api/v2/products', { name: 'P' });
  const loser = await make('/api/v2/deals', { title: 'A', value: 5 });
  const survivor = await make('/api/v2/deals', { title: 'B' });
  const line = { product_id: product.id, item_price: 2, quantity: 2 };
  await make(`/api/v2/deals/${loser.id}/products`, line);
  const activity = await make('/api/v2/activities', { deal_id: loser.id });
  const { body } = await merge('deals', loser.id, survivor.id);
  expect(body.data).toMatchObject({ id: survivor.id, title: 'B', merge_what_id: loser.id });
  expect(await read(`/api/v2/deals/${survivor.id}/products`)).toHaveLength(1);
  expect((await read(`/api/v2/deals/${survivor.id}`)).value).toBe(4);
  expect((await read(`/api/v2/activities/${activity.id}`)).deal_id).toBe(survivor.id);
});

test('webhooks tell of the deleted and of the changed record, each naming the other', async () => {
  await sandbox.call('POST', '/v1/webhooks', {
    subscription_url: `${receiver.url}/merge`,
    event_action: '*',
    event_object: 'person',
    name: 'Merges',
  });
  const loser = await make('/api/v2/persons', { name: 'A' });
  const survivor = await make('/api/v2/persons', { name: 'B' });
  await merge('persons', loser.id, survivor.id);
  await eventually(() => expect(receiver.received).toHaveLength(4));
  const metas = receiver.received.map(({ body }) => body.meta);
  expect(metas.find(({ action }) => action === 'delete')).toMatchObject({
    entity_id: String(loser.id),
    merged_to_id: String(survivor.id),
  });
  expect(metas.find(({ action }) => action === 'change')).toMatchObject({
    entity_id: String(survivor.id),
    merged_from_id: String(loser.id),
  });
});

test('a record merges neither with itself nor with one that is gone', async () => {
  const { id } = await make('/api/v2/persons', { name: 'A' });
  const gone = await make('/api/v2/persons', { name: 'B' });
  await sandbox.call('DELETE', `/api/v2/persons/${gone.id}`);
  expect((await merge('persons', id, id)).status).toBe(400);
  expect((await merge('persons', id, gone.id)).status).toBe(404);
  expect((await merge('persons', gone.id, id)).status).toBe(404);
});
