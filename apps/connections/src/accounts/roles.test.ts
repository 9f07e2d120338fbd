import { UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newWorkspace, startInstallation } from '../../test/installation.ts';
import { listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id kind status } } }`;
const BEGIN = `mutation ($input: BeginConnectionInput!) {
  beginConnection(input: $input) { authorizationUrl } }`;
const DISABLE = `mutation ($input: DisableConnectionInput!) {
  disableConnection(input: $input) { connection { id } } }`;
const DELETE = `mutation ($input: DeleteConnectionInput!) {
  deleteConnection(input: $input) { deletedId } }`;
const LIST = `query ($filter: ConnectionFilter) { connections(filter: $filter) {
  totalCount nodes { id kind status method } } }`;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
let installation: Installation;
let user: { id: number; apiToken: string };
let another: typeof user;

beforeAll(async () => {
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log: silentLog };
  installation = await startInstallation(ground);
  [user, another] = (await installation.control('GET', '/state')).users;
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

type Workspace = ReturnType<typeof newWorkspace>;
type Role = 'ADMIN' | 'MEMBER';

const connect = (workspaceId: Workspace, kind: string, role: Role) =>
  installation.graph(CONNECT, { input: { kind, apiToken: user.apiToken } }, { workspaceId, role });

/** Connecting by OAuth, to the end. */
async function consent(workspaceId: Workspace, kind: string, role: Role, who = user) {
  const input = { kind, acceptLimitedVisibility: true };
  const begun = await installation.graph(BEGIN, { input }, { workspaceId, role });
  const { authorizationUrl } = begun.data.beginConnection;
  return installation.connect(authorizationUrl, { workspaceId, role }, { userId: who.id });
}

const all = async (workspaceId: Workspace) =>
  (await installation.graph(LIST, {}, { workspaceId })).data.connections.nodes;

const one = async (workspaceId: Workspace) =>
  (await installation.graph(LIST, {}, { workspaceId })).data.connections.nodes[0];

async function switchOff(workspaceId: Workspace) {
  const { id } = await one(workspaceId);
  await installation.graph(DISABLE, { input: { id } }, { workspaceId });
}

test.each([
  ['with an API token', connect],
  ['by consenting in Pipedrive', consent],
])(
  'the user of the whole workspace’s connection connects personally %s: both exist, the former as it was (SL-13)',
  async (_, personally) => {
    const workspaceId = newWorkspace();
    await connect(workspaceId, 'ORGANIZATION', 'ADMIN');
    await switchOff(workspaceId);
    const answer = await personally(workspaceId, 'PERSONAL', 'MEMBER');
    expect(answer.errors).toBeUndefined();
    expect(await all(workspaceId)).toMatchObject([
      { kind: 'ORGANIZATION', method: 'API_TOKEN', status: 'DISABLED' },
      { kind: 'PERSONAL', status: 'ACTIVE' },
    ]);
    // and again: each is renewed by itself
    expect((await personally(workspaceId, 'PERSONAL', 'MEMBER')).errors).toBeUndefined();
    expect(await all(workspaceId)).toHaveLength(2);
  },
);

test('both use the one grant, which is given back with the last of them', async () => {
  const workspaceId = newWorkspace();
  await consent(workspaceId, 'ORGANIZATION', 'ADMIN', another);
  await consent(workspaceId, 'PERSONAL', 'ADMIN', another);
  const grants = async () => (await installation.control('GET', '/state')).grants;
  const held = { clientId: 'test-app', userId: another.id };
  const [shared, personal] = await all(workspaceId);
  const remove = ({ id }: { id: string }) =>
    installation.graph(DELETE, { input: { id } }, { workspaceId });
  await remove(personal);
  expect(await grants()).toContainEqual(held);
  await remove(shared);
  expect(await grants()).not.toContainEqual(held);
});

test('a member who connects again what an administrator switched off leaves it so; an administrator switches it on, which is told', async () => {
  const workspaceId = newWorkspace();
  await connect(workspaceId, 'PERSONAL', 'MEMBER');
  const { id } = await one(workspaceId);
  const administrator = { workspaceId, userId: newId('us', UserId) };
  await installation.graph(DISABLE, { input: { id } }, administrator);
  await connect(workspaceId, 'PERSONAL', 'MEMBER');
  expect(await one(workspaceId)).toMatchObject({ status: 'DISABLED' });
  await connect(workspaceId, 'PERSONAL', 'ADMIN');
  expect(await one(workspaceId)).toMatchObject({ status: 'ACTIVE' });
  const events = await listEvents(database.db, workspaceId, 'connection_status_changed');
  expect(events.map(({ payload }) => payload.status)).toEqual(['DISABLED', 'ACTIVE']);
});

test.each(['kind', 'method', 'status'])('no %s at all names no connection', async (name) => {
  const workspaceId = newWorkspace();
  await connect(workspaceId, 'PERSONAL', 'MEMBER');
  const answer = await installation.graph(LIST, { filter: { [name]: [] } }, { workspaceId });
  expect(answer).toMatchObject({ data: { connections: { totalCount: 0, nodes: [] } } });
});
