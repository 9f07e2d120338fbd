import { ConnectionId, type WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import {
  createTestDatabase,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGranted, type Named } from '../../../test/granted.ts';
import {
  type Installation,
  newWorkspace,
  openTestVault,
  startInstallation,
} from '../../../test/installation.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { setConnection } from '../store.ts';

const REFRESH = `mutation ($input: RefreshFieldsInput!) {
  refreshFields(input: $input) { connection { company { url } } } }`;
const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id } } }`;
const ELSEWHERE = 'http://127.0.0.1:9';

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

/** Pipedrive was at an address before that is not its own any more. */
const move = ({ id }: Named) =>
  acrossWorkspaces(database.db, async (tx) => {
    await setConnection(tx, id, { api_domain: ELSEWHERE });
    await tx.updateTable('pipedrive_grant').set({ api_domain: ELSEWHERE }).execute();
  });

const refresh = (workspaceId: WorkspaceId, connectionId: ConnectionId) =>
  installation.graph(REFRESH, { input: { connectionId } }, { workspaceId });

test('a connection by consent finds a Pipedrive that moved, for the next token says where it is', async () => {
  const vault = await openTestVault(database.db);
  const parts = { installation, sandbox, db: database.db, vault, userId: user.id };
  const granted = createGranted(parts);
  const connection = await granted.connect();
  const { refresh_at: before } = await granted.grantOf(connection);
  await move(connection);
  const answer = await refresh(connection.workspaceId, connection.id);
  expect(answer.errors).toBeUndefined();
  expect((await granted.rowOf(connection))?.api_domain).toBe(sandbox.url);
  expect((await granted.grantOf(connection)).refresh_at > before).toBe(true);
});

test('a connection by API token says what to do, and is called nowhere else', async () => {
  const workspaceId = newWorkspace();
  const input = { kind: 'ORGANIZATION', apiToken: user.apiToken };
  const made = await installation.graph(CONNECT, { input }, { workspaceId });
  const id = ConnectionId.parse(made.data.connectWithApiToken.connection.id);
  await move({ workspaceId, id });
  const answer = await refresh(workspaceId, id);
  expect(answer.errors[0].extensions).toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    reason: 'pipedrive_unreachable',
    fix: expect.stringContaining('again'),
  });
});
