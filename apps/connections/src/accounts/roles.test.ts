import {
  createTestDatabase,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
const LIST = `query ($filter: ConnectionFilter) { connections(filter: $filter) {
  totalCount nodes { id kind status method } } }`;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
let installation: Installation;
let user: { id: number; apiToken: string };

beforeAll(async () => {
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log: silentLog };
  installation = await startInstallation(ground);
  [user] = (await installation.control('GET', '/state')).users;
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

/** Connecting by OAuth as far as a browser takes it; the page that ends it. */
async function consent(workspaceId: Workspace, kind: string, role: Role) {
  const begun = await installation.graph(BEGIN, { input: { kind } }, { workspaceId, role });
  const { authorizationUrl } = begun.data.beginConnection;
  const page = await fetch(await installation.consent(authorizationUrl, { userId: user.id }));
  return page.text();
}

const one = async (workspaceId: Workspace) =>
  (await installation.graph(LIST, {}, { workspaceId })).data.connections.nodes[0];

async function switchOff(workspaceId: Workspace) {
  const { id } = await one(workspaceId);
  await installation.graph(DISABLE, { input: { id } }, { workspaceId });
}

describe('a connection for the whole workspace is renewed by an administrator alone', () => {
  test.each(['ADMIN', 'MEMBER'] as const)('with an API token: %s', async (role) => {
    const workspaceId = newWorkspace();
    await connect(workspaceId, 'ORGANIZATION', 'ADMIN');
    await switchOff(workspaceId);
    const answer = await connect(workspaceId, 'PERSONAL', role);
    expect(answer.errors?.[0].extensions.reason).toBe(
      role === 'MEMBER' ? 'role_too_low' : undefined,
    );
    const status = role === 'MEMBER' ? 'DISABLED' : 'ACTIVE';
    expect(await one(workspaceId)).toMatchObject({ kind: 'ORGANIZATION', status });
  });

  test.each(['ADMIN', 'MEMBER'] as const)('by consenting in Pipedrive: %s', async (role) => {
    const workspaceId = newWorkspace();
    await connect(workspaceId, 'ORGANIZATION', 'ADMIN');
    await switchOff(workspaceId);
    const page = await consent(workspaceId, 'PERSONAL', role);
    const isMember = role === 'MEMBER';
    expect(page).toContain(isMember ? 'role_too_low' : 'Connected');
    expect(await one(workspaceId)).toMatchObject({
      kind: 'ORGANIZATION',
      method: isMember ? 'API_TOKEN' : 'OAUTH',
      status: isMember ? 'DISABLED' : 'ACTIVE',
    });
  });
});

test('a member who connects again what was switched off leaves it so; an administrator switches it on, which is told', async () => {
  const workspaceId = newWorkspace();
  await connect(workspaceId, 'PERSONAL', 'MEMBER');
  await switchOff(workspaceId);
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
