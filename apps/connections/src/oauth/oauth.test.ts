import type { WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  codeOn,
  type Installation,
  newWorkspace,
  openTestVault,
  startInstallation,
  visit,
} from '../../test/installation.ts';
import { dumpTables, listEvents } from '../../test/looking.ts';
import { openSecret, openToken } from '../accounts/tokens/credential.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const BEGIN = `mutation ($input: BeginConnectionInput!) {
  beginConnection(input: $input) { authorizationUrl expiresAt } }`;
const LIST = `{ connections { totalCount nodes { id name kind method status scopes isAdministrator
  webhooks pipedriveUserId statusReason cause fix app company { id name domain url } } } }`;
const FIELDS = `query ($id: ID!) { pipedriveFields(connectionId: $id, object: PERSON) {
  revision readAt totalCount nodes { code custom } } }`;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const { log, lines } = captureLog();
let skewMs = 0;
let installation: Installation;
let users: { id: number; admin: boolean }[];

beforeAll(async () => {
  const now = () => new Date(Date.now() + skewMs);
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log, now };
  installation = await startInstallation(ground);
  users = (await installation.control('GET', '/state')).users;
});
beforeEach(async () => {
  skewMs = 0;
  await installation.control('DELETE', '/faults');
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

const userId = () => users[0]?.id ?? 0;

async function begin(workspaceId: WorkspaceId, input = {}) {
  const variables = { input: { kind: 'ORGANIZATION', ...input } };
  const answer = await installation.graph(BEGIN, variables, { workspaceId });
  expect(answer.errors).toBeUndefined();
  return answer.data.beginConnection;
}

/** From beginning to end as the administrator allows it. */
async function connect(workspaceId: WorkspaceId, input = {}) {
  const { authorizationUrl } = await begin(workspaceId, input);
  const made = await installation.connect(authorizationUrl, { workspaceId }, { userId: userId() });
  expect(made.errors).toBeUndefined();
  return made.data.completeConnection.connection;
}

/** As far as the browser comes by itself. */
async function comeBack(workspaceId: WorkspaceId, input = {}) {
  const { authorizationUrl } = await begin(workspaceId, input);
  return visit(await installation.consent(authorizationUrl, { userId: userId() }));
}

const list = async (workspaceId: WorkspaceId) =>
  (await installation.graph(LIST, {}, { workspaceId })).data.connections;

test('a person allows the connection and it works: company, scopes, webhook, fields, event (SL-10, WX-19)', async () => {
  const workspaceId = newWorkspace();
  const made = await connect(workspaceId);
  expect(made.company.name).toBe('Sandbox Inc');

  const { nodes, totalCount } = await list(workspaceId);
  expect(totalCount).toBe(1);
  expect(nodes[0]).toMatchObject({
    name: 'Sandbox Inc',
    kind: 'ORGANIZATION',
    method: 'OAUTH',
    status: 'ACTIVE',
    isAdministrator: true,
    webhooks: 'ACTIVE',
    pipedriveUserId: String(userId()),
    statusReason: null,
    cause: null,
    fix: null,
    app: 'default',
    company: { name: 'Sandbox Inc', domain: 'sandbox', url: sandbox.url },
  });
  expect(nodes[0].scopes).toContain('contacts:full');
  const fields = await installation.graph(FIELDS, { id: nodes[0].id }, { workspaceId });
  expect(fields.data.pipedriveFields).toMatchObject({ revision: 1 });
  expect(fields.data.pipedriveFields.nodes).toContainEqual({ code: 'emails', custom: false });

  const [established, ...more] = await listEvents(database.db, workspaceId);
  expect(more).toEqual([]);
  expect(established).toMatchObject({
    name: 'connections.connection_established.v1',
    actor: { kind: 'user', id: installation.userId },
    correlationId: 'test-correlation',
    payload: { connectionId: nodes[0].id, kind: 'ORGANIZATION', method: 'OAUTH', renewed: false },
  });
});

test('the browser goes back to an allowed address with a code, and to no other', async () => {
  const workspaceId = newWorkspace();
  const page = await comeBack(workspaceId, { returnUrl: 'https://shop.example/after?tab=crm' });
  expect(page.status).toBe(303);
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  const back = new URL(page.headers.get('location') ?? '');
  expect(back.href).toMatch(/^https:\/\/shop\.example\/after\?tab=crm&connectionCode=[\w-]{32}$/);
  const code = back.searchParams.get('connectionCode') ?? '';
  const answer = await installation.complete(code, { workspaceId });
  expect(answer.data.completeConnection.connection).toMatchObject({ status: 'ACTIVE' });
  const input = { kind: 'ORGANIZATION', returnUrl: 'https://evil.test/after' };
  const refused = await installation.graph(BEGIN, { input }, { workspaceId });
  expect(refused.errors[0].extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    reason: 'invalid_input',
    field: 'input.returnUrl',
  });
});

test('a denied consent goes back to the frontend with the reason and no code', async () => {
  const returnUrl = 'https://shop.example/after';
  const { authorizationUrl } = await begin(newWorkspace(), { returnUrl });
  const denied = { userId: userId(), decision: 'deny' as const };
  const page = await visit(await installation.consent(authorizationUrl, denied));
  expect([page.status, page.headers.get('location')]).toEqual([
    303,
    `${returnUrl}?connectionError=oauth_denied`,
  ]);
});

test('one key begins one connection, however often it is asked', async () => {
  const workspaceId = newWorkspace();
  const first = await begin(workspaceId, { idempotencyKey: 'k1' });
  expect(await begin(workspaceId, { idempotencyKey: 'k1' })).toEqual(first);
  expect(await begin(workspaceId, { idempotencyKey: 'k2' })).not.toEqual(first);
});

test('connecting a whole workspace needs an administrator, a personal connection a member (SL-10)', async () => {
  const workspaceId = newWorkspace();
  const as = async (role: 'MEMBER' | 'VIEWER', kind: string) =>
    (await installation.graph(BEGIN, { input: { kind } }, { workspaceId, role })).errors?.[0]
      .extensions.reason;
  expect(await as('MEMBER', 'ORGANIZATION')).toBe('role_too_low');
  expect(await as('VIEWER', 'PERSONAL')).toBe('role_too_low');
  expect(await as('MEMBER', 'PERSONAL')).toBeUndefined();
});

test('a denied consent says so, connects nothing and uses the state up (SL-08)', async () => {
  const workspaceId = newWorkspace();
  const { authorizationUrl } = await begin(workspaceId);
  const denied = { userId: userId(), decision: 'deny' as const };
  const callback = await installation.consent(authorizationUrl, denied);
  const page = await visit(callback);
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('oauth_denied')]);
  expect((await visit(callback)).text).toContain('oauth_state_invalid');
  expect((await list(workspaceId)).totalCount).toBe(0);
});

test.each([
  ['was made up', (url: URL) => url.searchParams.set('state', 'made-up')],
  ['was changed', (url: URL) => url.searchParams.set('state', `x${url.searchParams.get('state')}`)],
  ['is missing', (url: URL) => url.searchParams.delete('state')],
  ['is too old', () => (skewMs = 10 * 60_000 + 1)],
])('a state that %s gets a clear page with 400, and nothing is stored', async (_, spoil) => {
  const workspaceId = newWorkspace();
  const { authorizationUrl } = await begin(workspaceId);
  const callback = new URL(await installation.consent(authorizationUrl, { userId: userId() }));
  spoil(callback);
  const page = await visit(callback.href);
  expect([page.status, page.text]).toEqual([400, expect.stringMatching(/begin/i)]);
  expect((await list(workspaceId)).totalCount).toBe(0);
});

test('a state works once: the second use changes nothing', async () => {
  const workspaceId = newWorkspace();
  const { authorizationUrl } = await begin(workspaceId);
  const callback = await installation.consent(authorizationUrl, { userId: userId() });
  const pages = await Promise.all([visit(callback), visit(callback), visit(callback)]);
  expect(pages.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 400, 400]);
  expect(pages.filter(({ text }) => codeOn(text) !== undefined)).toHaveLength(1);
});

test('a connection left half way is finished by upkeep', async () => {
  const workspaceId = newWorkspace();
  const match = { method: 'POST', path: '/api/v1/webhooks' };
  await installation.control('POST', '/faults', { kind: '500', match });
  await connect(workspaceId);
  expect((await list(workspaceId)).nodes[0]).toMatchObject({
    status: 'ACTIVE',
    webhooks: 'FAILED',
  });
  await installation.control('DELETE', '/faults');
  skewMs = 16 * 60_000;
  await eventually(async () =>
    expect((await list(workspaceId)).nodes[0]).toMatchObject({ webhooks: 'ACTIVE' }),
  );
});

test('removing the app in Pipedrive stops every connection of that user, once and with an event', async () => {
  const [one, other] = [newWorkspace(), newWorkspace()];
  await connect(one);
  await connect(other);
  const gone = { clientId: 'test-app', userId: userId() };
  const { callbackStatus } = await installation.control('POST', '/uninstall', gone);
  expect(callbackStatus).toBe(200);
  for (const workspaceId of [one, other]) {
    const { nodes } = await list(workspaceId);
    expect(nodes[0]).toMatchObject({ status: 'NEEDS_REAUTH', statusReason: 'app_removed' });
    expect(nodes[0].cause).toMatch(/removed/);
    expect(nodes[0].fix).toMatch(/again/);
    const events = await listEvents(database.db, workspaceId, 'connection_status_changed');
    expect(events.map(({ payload }) => payload.reason)).toEqual(['app_removed']);
  }
  await connect(one);
  expect((await list(one)).nodes[0]).toMatchObject({ status: 'ACTIVE', webhooks: 'ACTIVE' });
});

test('no token, code, state or webhook secret is in any log line or, in plain text, in any table', async () => {
  const workspaceId = newWorkspace();
  const { authorizationUrl } = await begin(workspaceId);
  const callback = await installation.consent(authorizationUrl, { userId: userId() });
  const completionCode = codeOn((await visit(callback)).text);
  const waiting = await dumpTables(database.db);
  await installation.complete(completionCode, { workspaceId });
  const { code, state } = Object.fromEntries(new URL(callback).searchParams);
  const rows = await acrossWorkspaces(database.db, (tx) =>
    tx.selectFrom('connection').selectAll().where('workspace_id', '=', workspaceId).execute(),
  );
  const vault = await openTestVault(database.db);
  const grants = await acrossWorkspaces(database.db, (tx) =>
    tx.selectFrom('pipedrive_grant').selectAll().execute(),
  );
  const opened = [
    ...['webhook_path', 'webhook_password'].flatMap((column) =>
      rows.map((row) =>
        openSecret(vault, row, column === 'webhook_path' ? column : 'webhook_password'),
      ),
    ),
    ...grants.map((grant) => openToken(vault, grant, 'access_token')),
    ...grants.map((grant) => openToken(vault, grant, 'refresh_token')),
  ];
  expect(opened).toHaveLength(2 + 2 * grants.length);
  const places = `${lines.join('\n')}\n${waiting}\n${await dumpTables(database.db)}`;
  for (const secret of [...opened, code, completionCode, state, 'canary-client-secret']) {
    expect(secret?.length).toBeGreaterThan(15);
    expect(places).not.toContain(secret);
  }
  expect(places).toContain(workspaceId);
});

test('a workspace does not see the connections of another', async () => {
  const [owner, stranger] = [newWorkspace(), newWorkspace()];
  await connect(owner);
  const [{ id }] = (await list(owner)).nodes;
  expect((await list(stranger)).totalCount).toBe(0);
  const one = 'query ($id: ID!) { connection(id: $id) { id } }';
  const asked = await installation.graph(one, { id }, { workspaceId: stranger });
  expect(asked).toEqual({ data: { connection: null } });
  const fields = (of: string, workspaceId: WorkspaceId) =>
    installation.graph(FIELDS, { id: of }, { workspaceId });
  const foreign = await fields(id, stranger);
  const absent = await fields(id.replace(/.{4}$/, 'ffff'), stranger);
  expect(foreign.errors[0].message.replace(id, '')).toBe(
    absent.errors[0].message.replace(/cn_\w+/, ''),
  );
  expect(foreign.errors[0].extensions).toEqual(absent.errors[0].extensions);
});
