import { once } from 'node:events';
import { createServer } from 'node:http';
import { EventId, UserId, WebhookReceiptId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { captureLog, createTestDatabase, eventually, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { listEvents } from '../../../test/looking.ts';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { changeAlone } from '../../webhooks/leases/commands.ts';
import { ensureSubscription } from '../../webhooks/subscription.ts';
import { sealSecret } from '../tokens/credential.ts';
import { deleteConnection } from './removal.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const bystander = createBystander(pipedrive);
const receiver = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
await once(receiver, 'listening');
const address = receiver.address();
const publicUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
const { log, lines } = captureLog();
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log, eventually });
  const { connection, vault } = world;
  const sealed = (column: 'webhook_path' | 'webhook_password', secret: string) =>
    sealSecret(vault, connection, { column, secret });
  await world.setConnectionTo({
    webhook_path: sealed('webhook_path', 'A'.repeat(43)),
    webhook_password: sealed('webhook_password', 'secret'),
  });
  await subscribe();
});
afterAll(async () => {
  await pipedrive.stop();
  receiver.close();
  await drop();
});

test('with a connection goes its subscription, also one whose creation was never confirmed', async () => {
  await world.setConnectionTo({ webhook_id: null });
  await remove();
  expect(await subscriptions()).toEqual([]);
  expect(await world.findConnection()).toBeUndefined();
});

test('a subscription Pipedrive does not remove is said in the log, and the connection goes all the same', async () => {
  const path = `/api/v1/webhooks/${(await subscriptions())[0]?.id}`;
  await bystander.fault('500', { method: 'DELETE', path }, 5);
  await remove();
  expect(lines.join('\n')).toMatch(/webhook not removed/);
  expect(await world.findConnection()).toBeUndefined();
});

test('from the begin of a deletion nobody subscribes again, and one under way is waited for', async () => {
  let removing: Promise<unknown> = Promise.resolve();
  await changeAlone(db, { workspace_id: world.workspaceId, id: world.connection.id }, async () => {
    removing = remove();
    await eventually(async () => expect((await world.findConnection())?.status).toBe('DISABLED'));
  });
  await removing;
  expect(await subscriptions()).toEqual([]);
});

test('a week of deliveries goes with its connection, in more than one batch', async () => {
  const { workspaceId: workspace_id, connection } = world;
  const empty = { object: null, pipedrive_id: null, action: null, revision: null, record: null };
  const rows = Array.from({ length: 2_500 }, () => ({
    ...{ workspace_id, id: newId('wh', WebhookReceiptId), connection_id: connection.id, ...empty },
    ...({ kind: 'webhook', state: 'ignored', body: null, meta_id: null, attempts: 0 } as const),
    ...{ not_before: new Date(), received_at: new Date(), told_for: [] },
  }));
  await world.scoped((tx) => tx.insertInto('webhook_receipt').values(rows).execute());
  await remove();
  const left = await world.scoped((tx) => tx.selectFrom('webhook_receipt').select('id').execute());
  expect(left).toEqual([]);
  expect(await listEvents(db, workspace_id, 'connection_deleted')).toHaveLength(1);
});

test('a connection with more open requests than one batch goes with all of them cancelled', async () => {
  await world.setConnectionTo({ status: 'NEEDS_REAUTH' });
  for (let n = 0; n < 60; n += 1)
    await world.submit({ steps: [personStep(`open-${n}@example.test`)] });
  await remove();
  const rows = await world.scoped((tx) =>
    tx.selectFrom('write_request').select('state').distinct().execute(),
  );
  expect(rows.map(({ state }) => state)).toEqual(['cancelled']);
});

// builders

const subscribe = async () => {
  const use = { lane: 'event', feature: 'connections' } as const;
  const client = await world.deps.clientFor(world.workspaceId, world.connection.id, use);
  const current = await world.findConnection();
  if (current) await ensureSubscription({ ...world.deps, publicUrl }, client, current);
};

const remove = () =>
  deleteConnection(
    {
      ...world.deps,
      apps: [],
      allowedApiDomains: [pipedrive.url],
      onCall: () => Promise.resolve(),
    },
    world.connection.id,
    {
      workspaceId: world.workspaceId,
      actor: { kind: 'service', id: 'test' },
      correlationId: newId('ev', EventId),
      userId: newId('us', UserId),
      byAdmin: true,
    },
  );

const subscriptions = async (): Promise<{ id: number }[]> => {
  const { data } = JSON.parse(JSON.stringify(await bystander.call('GET', '/api/v1/webhooks')));
  return data.filter(({ name }: { name: string }) => name.endsWith(world.connection.id));
};
