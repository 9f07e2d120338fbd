import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectForDeliveries, type Deliveries } from '../../test/deliveries.ts';
import { type Installation, newWorkspace, startInstallation } from '../../test/installation.ts';
import { listEvents } from '../../test/looking.ts';
import { findConnection, setConnection } from '../accounts/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { putHealth } from './health/store.ts';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
let installation: Installation;
let hooks: Deliveries;

beforeAll(async () => {
  const { urls } = database;
  installation = await startInstallation({ urls, natsUrl: nats.url, sandbox, log: silentLog });
});
beforeEach(async () => {
  hooks = await connectForDeliveries(installation, {
    db: database.db,
    apiToken: sandbox.apiToken,
  });
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

test('a parked delivery is told once what stood in its way is mended, and only an admin has it looked at', async () => {
  const companyId = (await connection())?.company_id ?? '';
  await setTo({ company_id: '666' });
  expect(await hooks.deliver(hooks.change())).toBe(200);
  await eventually(async () => expect(await states()).toEqual(['parked']));
  await setTo({ company_id: companyId });
  const member = await redrive({ ...hooks, role: 'MEMBER' });
  expect(member.errors[0].extensions.reason).toBe('role_too_low');
  const stranger = await redrive({ workspaceId: newWorkspace() });
  expect(stranger.errors[0].extensions.reason).toBe('record_not_found');
  expect((await redrive(hooks)).data.redriveWebhooks).toEqual({
    redriven: 1,
    connection: { id: hooks.id },
  });
  await eventually(async () => expect(await states()).toEqual(['understood']));
  expect(await changes()).toHaveLength(1);
  expect((await redrive(hooks)).data.redriveWebhooks.redriven).toBe(0);
});

test('a delivery of a subscription of ours that nobody wrote down is told once the list was read again', async () => {
  const made = await eventually(async () => {
    const found = await connection();
    expect(found?.established_at).not.toBeNull();
    return found;
  });
  await setTo({ webhook_id: '1' });
  await watch();
  const delivery = hooks.change({ webhook_id: made?.webhook_id ?? '' });
  expect(await hooks.deliver(delivery)).toBe(200);
  await eventually(async () => expect(await states()).toEqual(['understood']), {
    timeoutMs: 20_000,
  });
  expect((await connection())?.webhook_id).toBe(made?.webhook_id);
}, 30_000);

// builders

const scoped = <Result>(work: Parameters<typeof withWorkspace<Tables, Result>>[2]) =>
  withWorkspace(database.db, hooks.workspaceId, work);

const connection = () => scoped((tx) => findConnection(tx, hooks.id));

const setTo = (change: Parameters<typeof setConnection>[2]) =>
  scoped((tx) => setConnection(tx, hooks.id, change));

const changes = () => listEvents(database.db, hooks.workspaceId, 'record_changed');

const states = () =>
  acrossWorkspaces(database.db, async (tx) => {
    const rows = await tx
      .selectFrom('webhook_receipt')
      .select('state')
      .where('workspace_id', '=', hooks.workspaceId)
      .execute();
    return rows.map(({ state }) => state);
  });

/** As upkeep begins to watch a connection, long before it is looked at. */
const watch = () =>
  scoped((tx) =>
    putHealth(tx, {
      ...{ workspace_id: hooks.workspaceId, id: hooks.id },
      due_at: new Date(Date.now() + 3_600_000),
    }),
  );

const redrive = (caller: Parameters<Installation['graph']>[2]) =>
  installation.graph(
    `mutation ($input: RedriveWebhooksInput!) {
      redriveWebhooks(input: $input) { redriven connection { id } } }`,
    { input: { id: hooks.id } },
    caller,
  );
