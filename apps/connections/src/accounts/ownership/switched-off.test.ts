import { UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Caller,
  type Installation,
  newWorkspace,
  startInstallation,
} from '../../../test/installation.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id status } } }`;
const DISABLE = `mutation ($input: DisableConnectionInput!) {
  disableConnection(input: $input) { connection { id } } }`;
const ENABLE = `mutation ($input: EnableConnectionInput!) {
  enableConnection(input: $input) { connection { id } } }`;
const DELETE = `mutation ($input: DeleteConnectionInput!) {
  deleteConnection(input: $input) { deletedId } }`;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
let installation: Installation;
let apiToken: string;

beforeAll(async () => {
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log: silentLog };
  installation = await startInstallation(ground);
  apiToken = (await installation.control('GET', '/state')).users[1].apiToken;
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

async function connect(caller: Caller): Promise<{ id: string; status: string }> {
  const input = { kind: 'PERSONAL', apiToken, acceptLimitedVisibility: true };
  const answer = await installation.graph(CONNECT, { input }, caller);
  expect(answer.errors).toBeUndefined();
  return answer.data.connectWithApiToken.connection;
}

const run = async (mutation: string, id: string, caller: Caller): Promise<string | undefined> =>
  (await installation.graph(mutation, { input: { id } }, caller)).errors?.[0].extensions.reason;

function openWorkspace() {
  const workspaceId = newWorkspace();
  const person = (role: 'ADMIN' | 'MEMBER') => ({ workspaceId, role, userId: newId('us', UserId) });
  return { owner: person('MEMBER'), other: person('MEMBER'), admin: person('ADMIN') };
}

test('removing and connecting again does not undo what an administrator switched off', async () => {
  const { owner, other, admin } = openWorkspace();
  const first = await connect(owner);
  await run(DISABLE, first.id, admin);
  // twice: what is remembered is carried on
  for (const round of [1, 2]) {
    const { id } = round === 1 ? first : await connect(owner);
    expect(await run(DELETE, id, owner)).toBeUndefined();
  }
  expect((await connect(other)).status).toBe('ACTIVE');
  const again = await connect(owner);
  expect(again.status).toBe('DISABLED');
  expect(await run(ENABLE, again.id, owner)).toBe('switched_off_by_administrator');
  expect(await run(ENABLE, again.id, admin)).toBeUndefined();
  expect((await connect(owner)).status).toBe('ACTIVE');
});

test('what its owner switched off, or an administrator removed, may be connected anew', async () => {
  const { owner, admin } = openWorkspace();
  const own = await connect(owner);
  await run(DISABLE, own.id, owner);
  await run(DELETE, own.id, owner);
  const second = await connect(owner);
  expect(second.status).toBe('ACTIVE');
  await run(DELETE, second.id, admin);
  expect((await connect(owner)).status).toBe('ACTIVE');
});
