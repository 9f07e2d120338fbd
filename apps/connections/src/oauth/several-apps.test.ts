import type { WorkspaceId } from '@manifold/contracts';
import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  codeOn,
  type Installation,
  newWorkspace,
  startInstallation,
  visit,
} from '../../test/installation.ts';
import { dumpTables, listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { basicAuthorization } from '../vault/compare.ts';

const BEGIN = `mutation ($input: BeginConnectionInput!) {
  beginConnection(input: $input) { authorizationUrl } }`;
const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id } } }`;
const LIST = `{ connections { nodes { id status app cause brokenSince fix isAdministrator
  grant { isAlive renewedAt idleUntil } terms { version acceptedBy { id } }
  preflight(features: [SYNC_CONTACTS, WRITE_CONTACTS, WEBHOOKS]) {
    feature isGranted missing neededBy apps fix } } } }`;
const APPS = '{ oauthApps { name scopes isDefault } connectionTerms { version url } }';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const { log, lines } = captureLog();
let skewMs = 0;
let installation: Installation;
let users: { id: number; apiToken: string }[];
const reader = {
  name: 'reader',
  clientId: 'reader-app',
  clientSecret: 'canary-reader-secret',
  scopes: ['base', 'contacts:read'],
};
const acceptTerms = '2026-01';

beforeAll(async () => {
  const redirectUrl = 'http://127.0.0.1:1/oauth/callback';
  const now = () => new Date(Date.now() + skewMs);
  installation = await startInstallation({
    ...{ urls: database.urls, natsUrl: nats.url, sandbox, log, now },
    env: {
      PIPEDRIVE_SCOPES: ['contacts:full', 'admin'],
      PIPEDRIVE_APPS: [{ ...reader, redirectUrl }],
      TERMS_VERSION: acceptTerms,
      TERMS_URL: 'https://example.test/terms',
    },
  });
  const redirectUris = [redirectUrl, installation.redirectUrl];
  await installation.control('POST', '/apps', { ...reader, name: 'Reader', redirectUris });
  users = (await installation.control('GET', '/state')).users;
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

const userId = (user: number) => users[user]?.id ?? 0;
const list = async (workspaceId: WorkspaceId) =>
  (await installation.graph(LIST, {}, { workspaceId })).data.connections.nodes;

async function begin(workspaceId: WorkspaceId, input: object) {
  const variables = { input: { kind: 'ORGANIZATION', acceptTerms, ...input } };
  return installation.graph(BEGIN, variables, { workspaceId });
}

/** Consents as a user and follows the browser back to this service, whatever host the app names. */
async function connect(workspaceId: WorkspaceId, input: object = {}, user = 0) {
  const { data } = await begin(workspaceId, input);
  const { authorizationUrl } = data.beginConnection;
  const back = new URL(await installation.consent(authorizationUrl, { userId: userId(user) }));
  const page = await visit(`${installation.publicUrl}${back.pathname}${back.search}`);
  return installation.complete(codeOn(page.text), { workspaceId });
}

const installed = async () => {
  const { grants } = await installation.control('GET', '/state');
  return grants;
};

test('the registered apps are listed, the default first, with the terms and no secret', async () => {
  const { data } = await installation.graph(APPS, {}, { workspaceId: newWorkspace() });
  expect(data).toEqual({
    oauthApps: [
      { name: 'default', scopes: ['contacts:full', 'admin'], isDefault: true },
      { name: 'reader', scopes: ['base', 'contacts:read'], isDefault: false },
    ],
    connectionTerms: { version: acceptTerms, url: 'https://example.test/terms' },
  });
});

test('a connection remembers its app, and preflight says what is missing and who has it (WX-17, WX-18)', async () => {
  const workspaceId = newWorkspace();
  await connect(workspaceId, { app: 'reader' });
  const [connection] = await list(workspaceId);
  expect(connection).toMatchObject({ status: 'ACTIVE', app: 'reader', isAdministrator: true });
  expect(connection.grant).toMatchObject({ isAlive: true, idleUntil: expect.any(String) });
  expect(connection.preflight).toEqual([
    expect.objectContaining({ feature: 'SYNC_CONTACTS', isGranted: true, fix: null }),
    expect.objectContaining({
      feature: 'WRITE_CONTACTS',
      isGranted: false,
      missing: ['contacts:full'],
      apps: ['default'],
      neededBy: ['ENRICHMENT', 'REFERRALS', 'TRACKING'],
      fix: expect.stringContaining('app default'),
    }),
    expect.objectContaining({ feature: 'WEBHOOKS', missing: ['webhooks:full'] }),
  ]);
});

test('connecting again with another app resumes the connection, and the former grant is given back (WX-22)', async () => {
  const workspaceId = newWorkspace();
  await connect(workspaceId, { app: 'reader' }, 0);
  const [before] = await list(workspaceId);
  await connect(workspaceId, { app: 'default' }, 0);
  const [after, ...more] = await list(workspaceId);
  expect(more).toEqual([]);
  expect(after).toMatchObject({ id: before.id, app: 'default', status: 'ACTIVE' });
  // another workspace of the test before still reads with it
  expect(await installed()).toContainEqual({ clientId: 'reader-app', userId: userId(0) });
  const alone = newWorkspace();
  const accepted = { acceptLimitedVisibility: true };
  await connect(alone, { app: 'reader', ...accepted }, 1);
  await connect(alone, { app: 'default', ...accepted }, 1);
  expect(await installed()).not.toContainEqual({ clientId: 'reader-app', userId: userId(1) });
});

test('an uninstall notice counts for the app it names, with the secret of that app', async () => {
  const [one, other] = [newWorkspace(), newWorkspace()];
  await connect(one, { app: 'reader' });
  await connect(other, { app: 'default' });
  const notice = { client_id: 'reader-app', company_id: 8_087_001, user_id: userId(0) };
  const send = async (clientId: string, secret: string, body: object) => {
    const headers = { authorization: basicAuthorization(clientId, secret) };
    const options = { method: 'DELETE', headers, body: JSON.stringify(body) };
    return (await fetch(`${installation.publicUrl}/oauth/callback`, options)).status;
  };
  expect(await send('test-app', 'canary-client-secret', notice)).toBe(401);
  expect(await send('reader-app', 'wrong', notice)).toBe(401);
  expect(await send('', '', { ...notice, client_id: 'unknown' })).toBe(401);
  expect((await list(one))[0].status).toBe('ACTIVE');
  expect(await send('reader-app', reader.clientSecret, notice)).toBe(200);
  expect((await list(one))[0]).toMatchObject({
    status: 'NEEDS_REAUTH',
    cause: expect.stringMatching(/removed/),
    brokenSince: expect.any(String),
    grant: { isAlive: false, idleUntil: null },
  });
  expect((await list(other))[0].status).toBe('ACTIVE');
});

test('a whole workspace is connected by an administrator, unless somebody accepts to see less (OR-07)', async () => {
  const workspaceId = newWorkspace();
  const refused = await connect(workspaceId, {}, 2);
  expect(refused.errors[0].extensions).toMatchObject({
    reason: 'administrator_required',
    field: 'input.code',
    fix: expect.stringContaining('begin again with beginConnection'),
  });
  expect(await list(workspaceId)).toEqual([]);
  expect(await installed()).not.toContainEqual({ clientId: 'test-app', userId: userId(2) });
  const byToken = { kind: 'ORGANIZATION', apiToken: users[2]?.apiToken, acceptTerms };
  const answer = await installation.graph(CONNECT, { input: byToken }, { workspaceId });
  expect(answer.errors[0].extensions).toMatchObject({
    reason: 'administrator_required',
    field: 'input.acceptLimitedVisibility',
  });
  await connect(workspaceId, { acceptLimitedVisibility: true }, 2);
  expect((await list(workspaceId))[0]).toMatchObject({ isAdministrator: false, status: 'ACTIVE' });
  // said once, it holds when the same user connects again
  await connect(workspaceId, {}, 2);
  expect((await list(workspaceId))[0]).toMatchObject({ isAdministrator: false, status: 'ACTIVE' });
});

test('terms are accepted in their current wording, and it is kept who did (WX-03)', async () => {
  const workspaceId = newWorkspace();
  for (const old of [undefined, '2025-01']) {
    const { errors } = await begin(workspaceId, { acceptTerms: old });
    expect(errors[0].extensions).toMatchObject({
      reason: 'terms_not_accepted',
      field: 'input.acceptTerms',
      fix: expect.stringContaining('https://example.test/terms'),
    });
  }
  await connect(workspaceId);
  expect((await list(workspaceId))[0].terms).toEqual({
    version: acceptTerms,
    acceptedBy: { id: installation.userId },
  });
});

test('upkeep finds out that a user lost rights, and that one was deactivated (SL-87)', async () => {
  const workspaceId = newWorkspace();
  await connect(workspaceId, { acceptLimitedVisibility: true }, 1);
  const change = (state: object) => installation.control('POST', `/users/${userId(1)}`, state);
  await change({ admin: true });
  const afterUpkeep = async (expected: object) => {
    skewMs += 25 * 3_600_000;
    const look = async () => expect((await list(workspaceId))[0]).toMatchObject(expected);
    await eventually(look, { timeoutMs: 25_000 });
  };
  await afterUpkeep({ isAdministrator: true });
  await change({ admin: false, active: false });
  await afterUpkeep({ status: 'NEEDS_REAUTH' });
  const [connection] = await list(workspaceId);
  expect([connection.cause, connection.fix]).toEqual([expect.any(String), expect.any(String)]);
  const events = await listEvents(database.db, workspaceId, 'connection_status_changed');
  expect(events).toHaveLength(1);
}, 60_000);

test('no secret of any app is in a log line or, in plain text, in a table', async () => {
  const places = `${lines.join('\n')}\n${await dumpTables(database.db)}`;
  expect(places).toContain('reader-app');
  for (const secret of [reader.clientSecret, 'canary-client-secret']) {
    expect(places).not.toContain(secret);
  }
});
