import type { WorkspaceId } from '@manifold/contracts';
import {
  captureLog,
  createTestDatabase,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Installation, newWorkspace, startInstallation } from '../../test/installation.ts';
import { dumpTables, listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id status method webhooks scopes company { url } } } }`;
const BEGIN = `mutation ($input: BeginConnectionInput!) {
  beginConnection(input: $input) { authorizationUrl } }`;
const LIST = `query ($filter: ConnectionFilter, $orderBy: ConnectionOrder, $first: Int, $after: String, $last: Int) {
  connections(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last) {
    totalCount pageInfo { hasNextPage endCursor } nodes { id kind status fix name } } }`;
const change = (name: string, payload: string) =>
  `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${payload} } }`;
const DISABLE = change('disableConnection', 'connection { id status fix }');
const ENABLE = change('enableConnection', 'connection { id status }');
const DELETE = change('deleteConnection', 'deletedId');

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const { log, lines } = captureLog();
let installation: Installation;
let users: { id: number; apiToken: string }[];

beforeAll(async () => {
  installation = await startInstallation({
    urls: database.urls,
    natsUrl: nats.url,
    sandbox,
    log,
  });
  users = (await installation.control('GET', '/state')).users;
});
beforeEach(async () => {
  await installation.control('DELETE', '/faults');
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

const apiToken = (user = 0) => users[user]?.apiToken ?? '';

async function ask(query: string, input: object, workspaceId: WorkspaceId) {
  const answer = await installation.graph(query, { input }, { workspaceId });
  return answer.errors?.[0].extensions ?? Object.values<Json>(answer.data)[0];
}
type Json = ReturnType<typeof JSON.parse>;

async function connect(workspaceId: WorkspaceId, user = 0, kind = 'ORGANIZATION') {
  const input = { apiToken: apiToken(user), kind, acceptLimitedVisibility: true };
  const made = await ask(CONNECT, input, workspaceId);
  return made.connection;
}

const list = async (workspaceId: WorkspaceId, args = {}) =>
  (await installation.graph(LIST, args, { workspaceId })).data.connections;

test('an API token connects its user (RS-05)', async () => {
  const workspaceId = newWorkspace();
  const made = await connect(workspaceId);
  expect(made).toMatchObject({
    status: 'ACTIVE',
    method: 'API_TOKEN',
    webhooks: 'ACTIVE',
    scopes: [],
    company: { url: sandbox.url },
  });
  const [established] = await listEvents(database.db, workspaceId);
  expect(established.payload).toMatchObject({ method: 'API_TOKEN', renewed: false });
});

test('with a Pipedrive elsewhere a token goes there, whatever company is named', async () => {
  const input = { kind: 'PERSONAL', apiToken: apiToken(), companyDomain: 'sandbox' };
  const made = await ask(CONNECT, input, newWorkspace());
  expect(made.connection).toMatchObject({ status: 'ACTIVE', company: { url: sandbox.url } });
});

test.each([
  ['is wrong', { apiToken: 'f'.repeat(40) }, 'token_rejected', 'input.apiToken'],
  ['is empty', { apiToken: ' ' }, 'invalid_input', 'input.apiToken'],
  ['is on two lines', { apiToken: 'ab\ncd' }, 'invalid_input', 'input.apiToken'],
  ['has a space in it', { apiToken: 'ab cd' }, 'invalid_input', 'input.apiToken'],
  ['belongs elsewhere', { companyDomain: 'other' }, 'company_mismatch', 'input.companyDomain'],
])('an API token that %s is refused, and nothing is stored', async (_, input, reason, field) => {
  const workspaceId = newWorkspace();
  const whole = { kind: 'PERSONAL', apiToken: apiToken(), ...input };
  const refused = await ask(CONNECT, whole, workspaceId);
  expect(refused).toMatchObject({ code: 'BAD_USER_INPUT', reason, field });
  expect((await list(workspaceId)).totalCount).toBe(0);
});

test.each(['', ' '])('the API token %j is said to be empty, and nothing else', async (text) => {
  const input = { kind: 'PERSONAL', apiToken: text };
  const { issues } = await ask(CONNECT, input, newWorkspace());
  expect(issues).toEqual([
    { field: 'input.apiToken', message: 'is empty', fix: 'Give at least 1 character.' },
  ]);
});

test('a Pipedrive out of reach is said to be so, and nothing is stored', async () => {
  const workspaceId = newWorkspace();
  const match = { path: '/api/v1/users/me' };
  await installation.control('POST', '/faults', { kind: 'cut-before', match });
  const refused = await ask(CONNECT, { kind: 'PERSONAL', apiToken: apiToken() }, workspaceId);
  expect(refused).toMatchObject({ code: 'SERVICE_UNAVAILABLE', reason: 'pipedrive_unreachable' });
  expect((await list(workspaceId)).totalCount).toBe(0);
});

test('repeating a key returns the first connection, with another token it is refused', async () => {
  const workspaceId = newWorkspace();
  const input = { kind: 'PERSONAL', apiToken: apiToken(), idempotencyKey: 'k' };
  const first = await ask(CONNECT, input, workspaceId);
  expect((await ask(CONNECT, input, workspaceId)).connection.id).toBe(first.connection.id);
  const other = await ask(CONNECT, { ...input, apiToken: apiToken(1) }, workspaceId);
  expect(other).toMatchObject({ code: 'CONFLICT', reason: 'duplicate_idempotency_key' });
});

test('connections are listed by condition, order and page', async () => {
  const workspaceId = newWorkspace();
  const ids = [
    (await connect(workspaceId, 0)).id,
    (await connect(workspaceId, 1, 'PERSONAL')).id,
    (await connect(workspaceId, 2, 'PERSONAL')).id,
  ];
  const page = await list(workspaceId, { first: 2 });
  expect(page.nodes.map(({ id }: Json) => id)).toEqual(ids.slice(0, 2));
  expect(page).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } });
  const rest = await list(workspaceId, { first: 2, after: page.pageInfo.endCursor });
  expect(rest.nodes.map(({ id }: Json) => id)).toEqual(ids.slice(2));
  const newest = { field: 'CREATED_AT', direction: 'DESC' };
  const last = await list(workspaceId, { orderBy: newest, last: 1 });
  expect(last.nodes.map(({ id }: Json) => id)).toEqual(ids.slice(0, 1));
  const personal = await list(workspaceId, { filter: { kind: ['PERSONAL'], status: ['ACTIVE'] } });
  expect(personal.nodes.map(({ id }: Json) => id)).toEqual(ids.slice(1));
  expect(personal.nodes[0].name).toContain(`user ${users[1]?.id}`);
});

test('connections of one company for the whole workspace are told apart by their users', async () => {
  const workspaceId = newWorkspace();
  const names = async () => (await list(workspaceId)).nodes.map(({ name }: Json) => name);
  await connect(workspaceId, 0);
  const [alone] = await names();
  await connect(workspaceId, 1);
  expect(await names()).toEqual([0, 1].map((user) => `${alone} (user ${users[user]?.id})`));
});

test('a connection is switched off and on, each once and with an event (SL-14)', async () => {
  const workspaceId = newWorkspace();
  const { id } = await connect(workspaceId);
  const off = await ask(DISABLE, { id }, workspaceId);
  expect(off.connection).toMatchObject({
    status: 'DISABLED',
    fix: expect.stringMatching(/enable/),
  });
  await ask(DISABLE, { id }, workspaceId);
  const REFRESH = change('refreshFields', 'connection { id }');
  const refused = await ask(REFRESH, { connectionId: id }, workspaceId);
  expect(refused).toMatchObject({ code: 'PRECONDITION_FAILED', reason: 'connection_disabled' });
  expect((await ask(ENABLE, { id }, workspaceId)).connection.status).toBe('ACTIVE');
  const events = await listEvents(database.db, workspaceId, 'connection_status_changed');
  expect(events.map(({ payload }) => payload.status)).toEqual(['DISABLED', 'ACTIVE']);
});

test('a deleted connection is gone here and at Pipedrive, and can be made anew', async () => {
  const workspaceId = newWorkspace();
  const { id } = await connect(workspaceId, 1);
  const before = (await installation.control('GET', '/state')).counts.webhooks;
  expect(await ask(DELETE, { id }, workspaceId)).toEqual({ deletedId: id });
  expect((await installation.control('GET', '/state')).counts.webhooks).toBe(before - 1);
  expect((await list(workspaceId)).totalCount).toBe(0);
  const events = await listEvents(database.db, workspaceId, 'connection_deleted');
  expect(events.map(({ payload }) => payload.connectionId)).toEqual([id]);
  expect((await connect(workspaceId, 1)).id).not.toBe(id);
});

test('a connection can be deleted while Pipedrive is out of reach', async () => {
  const workspaceId = newWorkspace();
  const { id } = await connect(workspaceId, 2);
  await installation.control('POST', '/faults', { kind: 'cut-before' });
  expect(await ask(DELETE, { id }, workspaceId)).toEqual({ deletedId: id });
});

test('a grant shared by two workspaces is revoked with the last of them', async () => {
  const [one, other] = [newWorkspace(), newWorkspace()];
  const grants = async () => (await installation.control('GET', '/state')).grants;
  const userId = users[1]?.id ?? 0;
  for (const workspaceId of [one, other]) {
    const { authorizationUrl } = await ask(BEGIN, { kind: 'PERSONAL' }, workspaceId);
    await installation.connect(authorizationUrl, { workspaceId }, { userId });
  }
  const held = { clientId: 'test-app', userId };
  const deleteOf = async (workspaceId: WorkspaceId) => {
    const { nodes } = await list(workspaceId);
    return ask(DELETE, { id: nodes[0].id }, workspaceId);
  };
  await deleteOf(one);
  expect(await grants()).toContainEqual(held);
  await deleteOf(other);
  expect(await grants()).not.toContainEqual(held);
});

test.each([
  ['disableConnection', DISABLE],
  ['enableConnection', ENABLE],
  ['deleteConnection', DELETE],
])(
  '%s needs an administrator and knows no connection of another workspace',
  async (_, mutation) => {
    const [owner, stranger] = [newWorkspace(), newWorkspace()];
    const { id } = await connect(owner);
    const member = { workspaceId: owner, role: 'MEMBER' as const };
    const refused = await installation.graph(mutation, { input: { id } }, member);
    expect(refused.errors[0].extensions.reason).toBe('role_too_low');
    const absent = id.replace(/.{4}$/, 'ffff');
    const foreign = await installation.graph(
      mutation,
      { input: { id } },
      { workspaceId: stranger },
    );
    const none = await installation.graph(
      mutation,
      { input: { id: absent } },
      { workspaceId: stranger },
    );
    expect(foreign.errors[0].extensions).toEqual(none.errors[0].extensions);
    expect(none.errors[0].extensions).toMatchObject({ field: 'input.id', fix: expect.any(String) });
    expect(foreign.errors[0].message).toBe(`There is no connection ${id}`);
    expect((await list(owner)).nodes[0].status).toBe('ACTIVE');
  },
);

test('the service does not start with another master key than the one the tokens were sealed with', async () => {
  await connect(newWorkspace());
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log };
  const env = { MASTER_KEY: Buffer.alloc(32, 8), PIPEDRIVE_REDIRECT_URL: installation.redirectUrl };
  await expect(startInstallation({ ...ground, env })).rejects.toThrow(/MASTER_KEY is not the key/);
});

test('an API token is in no log line and, in plain text, in no table', async () => {
  await connect(newWorkspace());
  const places = `${lines.join('\n')}\n${await dumpTables(database.db)}`;
  expect(apiToken().length).toBeGreaterThan(20);
  for (const { apiToken: token } of users) expect(places).not.toContain(token);
});
