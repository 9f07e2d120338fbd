import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

const DAY_MS = 86_400_000;
let sandbox: TestSandbox;
let receiver: Receiver;

beforeAll(async () => {
  // retries after years: only first attempts happen
  const never = 10_000 * DAY_MS;
  sandbox = await startTestSandbox({ webhookRetryDelaysMs: [never, never, never] });
});
beforeEach(async () => {
  await sandbox.call('DELETE', '/control/faults');
  for (const { id } of (await sandbox.call('GET', '/v1/webhooks')).body.data)
    await sandbox.call('DELETE', `/v1/webhooks/${id}`);
  await receiver?.stop();
  receiver = await startReceiver();
});
afterAll(async () => {
  await sandbox.stop();
  await receiver.stop();
});

async function subscribe(): Promise<number> {
  const body = {
    subscription_url: `${receiver.url}/hook`,
    event_action: '*',
    event_object: '*',
    name: 'Test',
  };
  return (await sandbox.call('POST', '/v1/webhooks', body)).body.data.id;
}

const createPerson = (name: string) => sandbox.call('POST', '/api/v2/persons', { name });
const list = async () => (await sandbox.call('GET', '/v1/webhooks')).body.data;
const advance = (advanceMs: number) => sandbox.call('POST', '/control/clock', { advanceMs });
const names = () => receiver.received.map(({ body }) => body.data.name);

test('the tenth failed first attempt is a ban of half an hour, and what happens meanwhile is lost', async () => {
  await subscribe();
  receiver.answers.push(...Array(10).fill(500));
  for (let at = 0; at < 10; at += 1) await createPerson('Failed');
  await eventually(async () => expect((await list())[0].is_active).toBe(0));
  await createPerson('Lost');
  await eventually(async () => {
    const [newest] = (await sandbox.call('GET', '/control/deliveries?limit=1')).body;
    expect(newest).toMatchObject({ state: 'dropped', attempt: 1, status: null });
  });
  await advance(30 * 60_000);
  expect((await list())[0]).toMatchObject({ is_active: 1, remove_time: null });
  await createPerson('Heard');
  await eventually(() => expect(names().at(-1)).toBe('Heard'));
  expect(names()).not.toContain('Lost');
});

test('nine failures are no ban', async () => {
  await subscribe();
  receiver.answers.push(...Array(9).fill(503));
  for (let at = 0; at < 10; at += 1) await createPerson(`Nine ${at}`);
  await eventually(() => expect(receiver.received).toHaveLength(10));
  expect((await list())[0].is_active).toBe(1);
});

test('three days without a success end a webhook, and its entry says why', async () => {
  await subscribe();
  receiver.answers.push(500, 500);
  await createPerson('First failure');
  await eventually(() => expect(receiver.received).toHaveLength(1));
  await advance(3 * DAY_MS);
  await createPerson('Last failure');
  await eventually(async () =>
    expect((await list())[0]).toMatchObject({
      is_active: 0,
      remove_time: expect.any(String),
      remove_reason: 'No successful deliveries in 3 days',
    }),
  );
  await createPerson('After the end');
  const [newest] = (await sandbox.call('GET', '/control/deliveries?limit=1')).body;
  expect(newest.status).toBe(500);
});

test('a success in between keeps a webhook', async () => {
  await subscribe();
  receiver.answers.push(500, 200, 500);
  await createPerson('Failure');
  await eventually(() => expect(receiver.received).toHaveLength(1));
  await advance(2 * DAY_MS);
  await createPerson('Success');
  await eventually(async () => expect((await list())[0].last_http_status).toBe(200));
  expect((await list())[0].last_delivery_time).not.toBeNull();
  await advance(2 * DAY_MS);
  await createPerson('Failure');
  await eventually(async () => expect((await list())[0].last_http_status).toBe(500));
  expect((await list())[0].is_active).toBe(1);
});

test('the control API bans, deletes and gives up a webhook', async () => {
  const [banned, deleted, silent] = [await subscribe(), await subscribe(), await subscribe()];
  const control = (id: number, verb: string, body = {}) =>
    sandbox.call('POST', `/control/webhooks/${id}/${verb}`, body);
  expect((await control(banned, 'ban')).body.is_active).toBe(0);
  expect((await control(deleted, 'delete')).status).toBe(200);
  expect((await control(silent, 'delete', { silence: true })).status).toBe(200);
  expect((await list()).map((hook: { id: number }) => hook.id)).toEqual([banned, silent]);
  await createPerson('Unheard');
  await advance(31 * 60_000);
  await createPerson('Heard');
  await eventually(() => expect(names()).toEqual(['Heard']));
  expect((await control(999, 'ban')).status).toBe(404);
});

test('a doubled hook comes twice with the same event id', async () => {
  await subscribe();
  await sandbox.call('POST', '/control/faults', { kind: 'double-hook', times: 1 });
  await createPerson('Twice');
  await eventually(() => expect(receiver.received).toHaveLength(2));
  const ids = receiver.received.map(({ body }) => body.meta.id);
  expect(ids[0]).toBe(ids[1]);
  await createPerson('Once');
  await eventually(() => expect(receiver.received).toHaveLength(3));
});

test('a reordered hook comes after the next one', async () => {
  await subscribe();
  const day = { kind: 'reorder-hook', times: 1, ms: DAY_MS };
  await sandbox.call('POST', '/control/faults', day);
  await createPerson('First');
  await eventually(async () => {
    const { faultsStruck } = (await sandbox.call('GET', '/control/state')).body;
    expect(faultsStruck['reorder-hook']).toBe(1);
  });
  await createPerson('Second');
  await eventually(() => expect(names()).toEqual(['Second', 'First']));
});

test('a reordered hook without a next one comes after its time', async () => {
  await subscribe();
  await sandbox.call('POST', '/control/faults', { kind: 'reorder-hook', times: 1, ms: 60_000 });
  await createPerson('Only');
  await eventually(async () => {
    const { faultsStruck } = (await sandbox.call('GET', '/control/state')).body;
    expect(faultsStruck['reorder-hook']).toBe(2);
  });
  expect(names()).toEqual([]);
  await advance(60_000);
  await eventually(() => expect(names()).toEqual(['Only']));
});

test('a share of the hooks is lost', async () => {
  await subscribe();
  await sandbox.call('POST', '/control/faults', { kind: 'drop-hook', share: 0.5, seed: 3 });
  for (let at = 0; at < 40; at += 1) await createPerson(`Some ${at}`);
  await eventually(async () => {
    const deliveries = (await sandbox.call('GET', '/control/deliveries?limit=40')).body;
    expect(deliveries.every(({ state }: { state: string }) => state !== 'waiting')).toBe(true);
  });
  expect(receiver.received.length).toBeGreaterThan(8);
  expect(receiver.received.length).toBeLessThan(32);
});
