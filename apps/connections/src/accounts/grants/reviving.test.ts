import {
  createTestDatabase,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGranted, createReplica } from '../../../test/granted.ts';
import {
  type Caller,
  type Installation,
  newWorkspace,
  openTestVault,
  startInstallation,
} from '../../../test/installation.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const SHOWN = 'connection { id status statusReason cause grant { isAlive } }';
const ENABLE = `mutation ($input: EnableConnectionInput!) { enableConnection(input: $input) { ${SHOWN} } }`;
const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id } } }`;
const REFRESH = `mutation ($input: RefreshFieldsInput!) {
  refreshFields(input: $input) { connection { id } } }`;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
let installation: Installation;
let users: { id: number; apiToken: string }[];

beforeAll(async () => {
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log: silentLog };
  installation = await startInstallation(ground);
  users = (await installation.control('GET', '/state')).users;
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

const userOf = (index: number) => users[index] ?? { id: 0, apiToken: '' };
const setActive = (index: number, active: boolean) =>
  installation.control('POST', `/users/${userOf(index).id}`, { active });
const enable = async (id: string, caller: Caller) =>
  (await installation.graph(ENABLE, { input: { id } }, caller)).data.enableConnection.connection;
const use = (connectionId: string, caller: Caller) =>
  installation.graph(REFRESH, { input: { connectionId } }, caller);

test('a consent whose user was deactivated works again as soon as it is switched on', async () => {
  const vault = await openTestVault(database.db);
  const own = { installation, sandbox, db: database.db, vault, userId: userOf(1).id };
  const granted = createGranted(own);
  const { workspaceId, id } = await granted.connect();
  const caller = { workspaceId };
  await setActive(1, false);
  await use(id, caller);
  const broken = await enable(id, caller);
  expect(broken).toMatchObject({ status: 'NEEDS_REAUTH', statusReason: 'token_rejected' });
  expect(broken.grant).toEqual({ isAlive: false });

  await setActive(1, true);
  expect(await enable(id, caller)).toMatchObject({
    status: 'ACTIVE',
    statusReason: null,
    cause: null,
    grant: { isAlive: true },
  });
  const replica = createReplica(database.db, {
    vault,
    sandbox,
    now: () => new Date(),
    log: silentLog,
  });
  const client = await replica.clientFor(workspaceId, id, { lane: 'event', feature: 'test' });
  expect((await client.getMe()).outcome).toBe('ok');
});

test('an API token whose user was deactivated works again as soon as it is switched on', async () => {
  const caller = { workspaceId: newWorkspace() };
  const input = { kind: 'PERSONAL', apiToken: userOf(2).apiToken };
  const made = await installation.graph(CONNECT, { input }, caller);
  const { id } = made.data.connectWithApiToken.connection;
  await setActive(2, false);
  await use(id, caller);
  expect(await enable(id, caller)).toMatchObject({ status: 'NEEDS_REAUTH' });
  await setActive(2, true);
  expect(await enable(id, caller)).toMatchObject({ status: 'ACTIVE', cause: null });
});
