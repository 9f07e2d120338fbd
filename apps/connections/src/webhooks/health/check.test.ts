import { once } from 'node:events';
import { createServer } from 'node:http';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { sealSecret } from '../../accounts/tokens/credential.ts';
import { migrations } from '../../migrations/index.ts';
import { insertRegistry, listRegistries, setRegistry } from '../../registry/store.ts';
import type { Tables } from '../../store.ts';
import { rotateSecret } from '../commands.ts';
import { changeAlone } from '../leases/commands.ts';
import { ensureSubscription } from '../subscription.ts';
import type { WebhookHealth } from '../tables.ts';
import { checkSubscription } from './check.ts';
import { findHealth, putHealth } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const bystander = createBystander(pipedrive);
/** Where deliveries go. */
const receiver = createServer((_, response) => {
  response.statusCode = status;
  response.end();
}).listen(0, '127.0.0.1');
await once(receiver, 'listening');
const address = receiver.address();
const publicUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
let status: number;
const now = new Date();
const minutes = (count: number) => new Date(now.getTime() + count * 60_000);
let world: World;

beforeEach(async () => {
  await bystander.reset();
  status = 200;
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  const { connection, vault } = world;
  const sealed = (column: 'webhook_path' | 'webhook_password', secret: string) =>
    sealSecret(vault, connection, { column, secret });
  await world.setConnectionTo({
    webhook_path: sealed('webhook_path', 'A'.repeat(43)),
    webhook_password: sealed('webhook_password', 'first'),
  });
  await ensure();
  await world.scoped((tx) => putHealth(tx, { ...watched(), due_at: now }));
});
afterAll(async () => {
  await pipedrive.stop();
  receiver.close();
  await drop();
});

test('two who would subscribe at once make one subscription', async () => {
  for (const { id } of await subscriptions())
    await bystander.call('DELETE', `/api/v1/webhooks/${id}`);
  await Promise.all([ensure(), check(), ensure()]);
  expect(await subscriptions()).toHaveLength(1);
});

test('a check that finds somebody at the subscription comes again in a moment', async () => {
  await changeAlone(db, watched(), () => check());
  expect(await health()).toMatchObject({ state: 'UNKNOWN', due_at: minutes(1 / 6) });
});

test('a healthy subscription nobody knew is adopted, and the one before stays known', async () => {
  const [mine] = await subscriptions();
  await world.setConnectionTo({ webhook_id: 'lost', webhook_state: 'FAILED' });
  await check();
  expect(await world.findConnection()).toMatchObject({
    webhook_id: String(mine?.id),
    webhook_state: 'ACTIVE',
  });
  expect(await health()).toMatchObject({ state: 'HEALTHY', previous_id: 'lost' });
});

test('a subscription made by a call that ended unknown is found by the next check', async () => {
  for (const { id } of await subscriptions())
    await bystander.call('DELETE', `/api/v1/webhooks/${id}`);
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v1/webhooks' });
  await check();
  expect((await world.findConnection())?.webhook_state).toBe('FAILED');
  await check();
  const [made, ...more] = await subscriptions();
  expect([made?.id, more]).toEqual([Number((await world.findConnection())?.webhook_id), []]);
});

test('a secret asked for while the subscription is made anew is told to Pipedrive next', async () => {
  for (const { id } of await subscriptions())
    await bystander.call('DELETE', `/api/v1/webhooks/${id}`);
  await check({ meanwhile: rotate });
  expect(await health()).toMatchObject({ rotate_at: now, due_at: now, previous_until: null });
  await check();
  expect(await health()).toMatchObject({ rotate_at: null, previous_until: minutes(15) });
});

test('a secret asked for again while it is told to Pipedrive is the one that is told', async () => {
  await rotate();
  const asked = (await world.findConnection())?.webhook_password;
  await check({ meanwhile: rotate });
  expect((await world.findConnection())?.webhook_password).toBe(asked);
  expect(await health()).toMatchObject({ rotate_at: null, previous_until: minutes(15) });
});

test('one delivery that failed has what may be lost read once, and then costs no more looks', async () => {
  const { workspaceId, connection } = world;
  const { id: connection_id, company_id } = connection;
  const place = { workspace_id: workspaceId, company_id, object: 'person' as const };
  const later = minutes(600);
  await world.scoped((tx) =>
    insertRegistry(tx, { ...place, connection_id, now: later, verify_at: later }),
  );
  const sweepAt = async () =>
    (await world.scoped((tx) => listRegistries(tx, workspaceId, company_id)))[0]?.sweep_at;
  status = 500;
  await bystander.create('person', { name: 'Ada' });
  await eventually(async () => {
    await check();
    expect((await health())?.state).toBe('FAILING');
  });
  expect([await sweepAt(), (await health())?.due_at]).toEqual([now, minutes(5)]);
  await world.scoped((tx) => setRegistry(tx, place, { sweep_at: later }));
  const { last_delivery_at } = (await health()) ?? {};
  await check();
  if ((await health())?.last_delivery_at?.getTime() !== last_delivery_at?.getTime()) await check();
  expect((await health())?.due_at).toEqual(minutes(30));
});

test('where Pipedrive does not let us subscribe it is tried again in hours', async () => {
  for (const { id } of await subscriptions())
    await bystander.call('DELETE', `/api/v1/webhooks/${id}`);
  const created = { outcome: 'refused' as const, status: 403, message: 'no' };
  await check({ createWebhook: () => Promise.resolve(created) });
  expect(await health()).toMatchObject({ state: 'MISSING', due_at: minutes(240) });
  const client = await clientOf();
  const refusing = { ...client, createWebhook: () => Promise.resolve(created) };
  expect(await ensureSubscription(deps(), refusing, world.connection)).toBe('later');
});

// builders

const watched = () => ({ workspace_id: world.workspaceId, id: world.connection.id });

const deps = () => ({
  ...{ db, vault: world.vault, log: silentLog, publicUrl },
  ...{ now: () => now, checkEveryMs: 1_800_000 },
});

const clientOf = () =>
  world.deps.clientFor(world.workspaceId, world.connection.id, {
    lane: 'event',
    feature: 'webhook_upkeep',
  });

const ensure = async () => ensureSubscription(deps(), await clientOf(), world.connection);

/** With what happens while the subscription is made anew. */
async function check({
  meanwhile,
  ...more
}: {
  meanwhile?: () => Promise<void>;
  createWebhook?: Awaited<ReturnType<typeof clientOf>>['createWebhook'];
} = {}): Promise<void> {
  const client = await clientOf();
  const createWebhook: typeof client.createWebhook = async (webhook) => {
    await meanwhile?.();
    return client.createWebhook(webhook);
  };
  await checkSubscription(deps(), { ...client, createWebhook, ...more }, watched());
}

const rotate = () =>
  world.scoped(async (tx) => {
    const connection = await world.findConnection();
    if (connection) await rotateSecret(tx, connection, { vault: world.vault, now });
  });

const health = (): Promise<WebhookHealth | undefined> =>
  world.scoped((tx) => findHealth(tx, world.connection.id));

const subscriptions = async (): Promise<{ id: number }[]> => {
  const { data } = JSON.parse(JSON.stringify(await bystander.call('GET', '/api/v1/webhooks')));
  return data.filter(({ name }: { name: string }) => name.endsWith(world.connection.id));
};
