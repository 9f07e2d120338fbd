import { UserId, type WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
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
import { listEvents } from '../../../test/looking.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id method status } } }`;
const BEGIN = `mutation ($input: BeginConnectionInput!) {
  beginConnection(input: $input) { authorizationUrl } }`;
const LIST = `query ($filter: ConnectionFilter) { connections(filter: $filter) {
  nodes { id kind status method fix owner { id } disabledBy { id } } } }`;
const change = (name: string, payload: string) =>
  `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${payload} } }`;
const changes = {
  disable: change('disableConnection', 'connection { id }'),
  enable: change('enableConnection', 'connection { id }'),
  delete: change('deleteConnection', 'deletedId'),
};

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
let skewMs = 0;
let installation: Installation;
let users: { id: number; apiToken: string }[];

beforeAll(async () => {
  const now = () => new Date(Date.now() + skewMs);
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log: silentLog, now };
  installation = await startInstallation(ground);
  users = (await installation.control('GET', '/state')).users;
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

const apiTokenOf = (user: number) => users[user]?.apiToken ?? '';

/** Its first error's reason, or nothing. */
async function reasonOf(query: string, input: object, caller: Caller): Promise<string | undefined> {
  return (await installation.graph(query, { input }, caller)).errors?.[0].extensions.reason;
}

async function connect(caller: Caller, kind = 'PERSONAL', user = 1): Promise<string> {
  const input = { kind, apiToken: apiTokenOf(user), acceptLimitedVisibility: true };
  const answer = await installation.graph(CONNECT, { input }, caller);
  expect(answer.errors).toBeUndefined();
  return answer.data.connectWithApiToken.connection.id;
}

const list = async (workspaceId: WorkspaceId, filter = {}, caller: Partial<Caller> = {}) =>
  (await installation.graph(LIST, { filter }, { ...caller, workspaceId })).data.connections.nodes;

/** A workspace with a member's own connection, and the people around it. */
async function openWorkspace() {
  const workspaceId = newWorkspace();
  const person = (role: 'ADMIN' | 'MEMBER' | 'VIEWER') => ({
    workspaceId,
    role,
    userId: newId('us', UserId),
  });
  const people = { owner: person('MEMBER'), other: person('MEMBER'), admin: person('ADMIN') };
  return { ...people, workspaceId, id: await connect(people.owner) };
}

test('a member switches the own connection off and on, and removes it', async () => {
  const { workspaceId, owner, id } = await openWorkspace();
  const status = async () => (await list(workspaceId))[0]?.status;
  expect(await reasonOf(changes.disable, { id }, owner)).toBeUndefined();
  expect(await status()).toBe('DISABLED');
  expect(await reasonOf(changes.enable, { id }, owner)).toBeUndefined();
  expect(await status()).toBe('ACTIVE');
  expect(await reasonOf(changes.delete, { id }, owner)).toBeUndefined();
  expect(await list(workspaceId)).toEqual([]);
});

test.each(Object.entries(changes))(
  'to %s another member’s connection is refused, and to a viewer who owns it',
  async (_, mutation) => {
    const { workspaceId, owner, other, id } = await openWorkspace();
    expect(await reasonOf(mutation, { id }, other)).toBe('connection_of_another_user');
    expect(await reasonOf(mutation, { id }, { ...owner, role: 'VIEWER' })).toBe('role_too_low');
    expect(await list(workspaceId)).toMatchObject([{ status: 'ACTIVE' }]);
  },
);

test('an administrator switches another’s connection off, which its owner cannot undo', async () => {
  const { workspaceId, owner, admin, id } = await openWorkspace();
  expect(await reasonOf(changes.disable, { id }, owner)).toBeUndefined();
  const refused = await installation.graph(changes.enable, { input: { id } }, admin);
  expect(refused.errors[0]).toMatchObject({
    message: 'Its owner switched this connection off',
    extensions: { reason: 'connection_of_another_user', field: 'input.id' },
  });
  expect((await list(workspaceId))[0].disabledBy).toEqual({ id: owner.userId });
  expect(await reasonOf(changes.disable, { id }, admin)).toBeUndefined();
  expect((await list(workspaceId))[0]).toMatchObject({
    disabledBy: { id: admin.userId },
    fix: expect.stringMatching(/administrator.*ask/),
  });
  expect(await reasonOf(changes.enable, { id }, owner)).toBe('switched_off_by_administrator');
  await connect(owner);
  expect(await list(workspaceId)).toMatchObject([{ status: 'DISABLED' }]);
  expect(await reasonOf(changes.enable, { id }, admin)).toBeUndefined();
  expect(await reasonOf(changes.delete, { id }, admin)).toBeUndefined();
  expect(await list(workspaceId)).toEqual([]);
});

test('nobody takes over the connection another person made with the same user of Pipedrive', async () => {
  const { workspaceId, owner, other, id } = await openWorkspace();
  expect(await connect(other)).not.toBe(id);
  expect(await list(workspaceId)).toMatchObject([
    { id, owner: { id: owner.userId } },
    { owner: { id: other.userId } },
  ]);
});

test('connections say whose they are, and are listed by that', async () => {
  const { workspaceId, owner, other, admin, id } = await openWorkspace();
  const shared = await connect(admin, 'ORGANIZATION', 0);
  expect(await list(workspaceId)).toMatchObject([
    { id, owner: { id: owner.userId } },
    { id: shared, owner: null },
  ]);
  const idsOf = async (caller: Caller, mine: boolean) =>
    (await list(workspaceId, { mine }, caller)).map((one: { id: string }) => one.id);
  expect(await idsOf(owner, true)).toEqual([id]);
  expect(await idsOf(owner, false)).toEqual([shared]);
  expect(await idsOf(other, true)).toEqual([]);
  expect(await idsOf(admin, true)).toEqual([]);
});

test('an API token takes the place of a consent only when that is asked for', async () => {
  const caller = { workspaceId: newWorkspace() };
  const begun = await installation.graph(BEGIN, { input: { kind: 'ORGANIZATION' } }, caller);
  const { authorizationUrl } = begun.data.beginConnection;
  await installation.connect(authorizationUrl, caller, { userId: users[0]?.id ?? 0 });
  const input = { kind: 'ORGANIZATION', apiToken: apiTokenOf(0) };
  const refused = await installation.graph(CONNECT, { input }, caller);
  expect(refused.errors[0].extensions).toMatchObject({
    reason: 'connected_by_oauth',
    field: 'input.replace',
    fix: expect.any(String),
  });
  expect(await list(caller.workspaceId)).toMatchObject([{ method: 'OAUTH' }]);
  expect(await reasonOf(CONNECT, { ...input, replace: true }, caller)).toBeUndefined();
  expect(await list(caller.workspaceId)).toMatchObject([{ method: 'API_TOKEN' }]);
});

test.each([
  ['after a while by itself', false],
  ['at once when somebody asks', true],
])(
  'a connection by API token whose user is active again works again %s (SL-87)',
  async (_, isAsked) => {
    const caller = { workspaceId: newWorkspace() };
    const id = await connect(caller, 'ORGANIZATION', 2);
    const setActive = (active: boolean) =>
      installation.control('POST', `/users/${users[2]?.id}`, { active });
    const REFRESH = change('refreshFields', 'connection { id }');
    const status = async () => (await list(caller.workspaceId))[0]?.status;
    await setActive(false);
    expect(await reasonOf(REFRESH, { connectionId: id }, caller)).toBe('connection_needs_reauth');
    expect(await status()).toBe('NEEDS_REAUTH');
    await setActive(true);
    if (isAsked) await reasonOf(changes.enable, { id }, caller);
    else skewMs += 16 * 60_000;
    await eventually(async () => expect(await status()).toBe('ACTIVE'), { timeoutMs: 20_000 });
    const events = await listEvents(database.db, caller.workspaceId, 'connection_status_changed');
    expect(events.map(({ payload }) => payload.status)).toEqual(['NEEDS_REAUTH', 'ACTIVE']);
  },
);

/** Everything that names a connection and spends or settles something of it. */
const spending: [string, object][] = [
  ['refreshFields', {}],
  ['createField', { object: 'PERSON', name: 'Shoe size' }],
  ['createFieldOptions', { object: 'PERSON', fieldCode: 'x', labels: ['y'] }],
  ['allowExternalId', { objects: ['PERSON'] }],
  ['disallowExternalId', { objects: ['PERSON'] }],
  ['verifyCompleteness', { object: 'PERSON' }],
  ['trackRecords', { object: 'PERSON', keys: [] }],
  ['untrackRecords', { object: 'PERSON' }],
  ['setApiPlan', { plan: 'ULTIMATE' }],
];

test.each(spending)(
  '%s with another person’s own connection is refused, to administrators too',
  async (name, more) => {
    const { owner, admin, id } = await openWorkspace();
    const input = { connectionId: id, ...more };
    const answer = await installation.graph(change(name, '__typename'), { input }, admin);
    expect(answer.errors?.[0].extensions).toMatchObject({
      reason: 'connection_of_another_user',
      field: 'input.connectionId',
    });
    const own = await reasonOf(change(name, '__typename'), input, { ...owner, role: 'ADMIN' });
    expect(own).not.toBe('connection_of_another_user');
  },
);

const memberMay = (name: string, input: object, caller: Caller) =>
  reasonOf(change(name, '__typename'), input, { ...caller, role: 'MEMBER' });

test.each(spending)(
  '%s with their own connection is a member’s, as long as the company is connected by nothing else',
  async (name, more) => {
    const { owner, admin, id } = await openWorkspace();
    const input = { connectionId: id, ...more };
    const alone = await memberMay(name, input, owner);
    expect(['role_too_low', 'connection_of_another_user']).not.toContain(alone);

    const shared = await connect(admin, 'ORGANIZATION', 0);
    expect(await memberMay(name, { ...input, connectionId: shared }, owner)).toBe('role_too_low');
    const beside = await memberMay(name, input, owner);
    if (name === 'refreshFields') expect(beside).toBeUndefined();
    else expect(beside).toBe('role_too_low');
  },
);

test.each(['checkWebhooks', 'rotateWebhookSecret', 'redriveWebhooks'])(
  '%s of their own connection is a member’s, and of the organization’s an administrator’s',
  async (name) => {
    const { owner, other, admin, id } = await openWorkspace();
    expect(await memberMay(name, { id }, owner)).toBeUndefined();
    expect(await memberMay(name, { id }, other)).toBe('connection_of_another_user');
    const shared = await connect(admin, 'ORGANIZATION', 0);
    expect(await memberMay(name, { id: shared }, owner)).toBe('role_too_low');
    const viewer = await reasonOf(change(name, '__typename'), { id }, { ...owner, role: 'VIEWER' });
    expect(viewer).toBe('role_too_low');
  },
);

test.each(['checkWebhooks', 'rotateWebhookSecret', 'redriveWebhooks'])(
  '%s of another person’s own connection is refused',
  async (name) => {
    const { admin, id } = await openWorkspace();
    const mutation = change(name, '__typename');
    expect(await reasonOf(mutation, { id }, admin)).toBe('connection_of_another_user');
  },
);

test('its forecast is its owner’s; its fields, which hold no value of a record, are everybody’s', async () => {
  const { owner, other, id } = await openWorkspace();
  const forecast = 'query ($id: ID!) { apiForecast(connectionId: $id) { tokens } }';
  const fields =
    'query ($id: ID!) { pipedriveFields(connectionId: $id, object: PERSON) { totalCount } }';
  const ask = async (query: string, caller: Caller) =>
    (await installation.graph(query, { id }, caller)).errors?.[0].extensions;
  expect(await ask(forecast, owner)).toBeUndefined();
  expect(await ask(forecast, other)).toMatchObject({
    reason: 'connection_of_another_user',
    field: 'connectionId',
  });
  expect(await ask(fields, other)).toBeUndefined();
});

test.each(['cn_nonsense', 'xyz', `ct_${'0'.repeat(32)}`, `cn_${'0'.repeat(32)}`])(
  'the id %s is answered like every other nobody has',
  async (id) => {
    const caller = { workspaceId: newWorkspace() };
    const one = 'query ($id: ID!) { connection(id: $id) { id } }';
    expect(await installation.graph(one, { id }, caller)).toEqual({ data: { connection: null } });
    const preflight = 'query ($id: ID!) { connectionPreflight(connectionId: $id) { feature } }';
    const asked = await installation.graph(preflight, { id }, caller);
    const absent = { code: 'NOT_FOUND', reason: 'record_not_found', fix: expect.any(String) };
    expect(asked.errors[0].extensions).toEqual({ ...absent, field: 'connectionId' });
    for (const mutation of Object.values(changes)) {
      const answer = await installation.graph(mutation, { input: { id } }, caller);
      expect(answer.errors[0].extensions).toEqual({ ...absent, field: 'input.id' });
    }
  },
);
