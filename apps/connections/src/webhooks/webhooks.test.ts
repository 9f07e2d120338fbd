import { ReadReceipts } from '@manifold/contracts';
import { acrossWorkspaces, connectDatabase } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { ask } from '@manifold/messaging';
import { startHttp } from '@manifold/service';
import {
  captureLog,
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectForDeliveries, type Deliveries } from '../../test/deliveries.ts';
import {
  type Installation,
  newWorkspace,
  startInstallation,
  openTestVault,
} from '../../test/installation.ts';
import { dumpTables, listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { basicAuthorization } from '../vault/compare.ts';
import { createWebhookHandler } from './http.ts';
import { KEEP_MS } from './rules.ts';
import { purgeReceipts } from './worker.ts';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const vault = await openTestVault(database.db);
const { log, lines } = captureLog();
let installation: Installation;
let hooks: Deliveries;

beforeAll(async () => {
  installation = await startInstallation({
    urls: database.urls,
    natsUrl: nats.url,
    sandbox,
    log,
  });
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

/** A connection of its own for every test. */
async function connect(): Promise<void> {
  hooks = await connectForDeliveries(installation, {
    db: database.db,
    apiToken: sandbox.apiToken,
  });
}
const deliver: Deliveries['deliver'] = (payload, options) => hooks.deliver(payload, options);
const change: Deliveries['change'] = (meta) => hooks.change(meta);

const changes = () => listEvents(database.db, hooks.workspaceId, 'record_changed');
const receipts = () =>
  acrossWorkspaces(database.db, (tx) =>
    tx
      .selectFrom('webhook_receipt')
      .selectAll()
      .where('workspace_id', '=', hooks.workspaceId)
      .orderBy('id')
      .execute(),
  );
const allSettled = () =>
  eventually(async () => {
    const all = await receipts();
    expect(all.map(({ state }) => state)).not.toContain('received');
    return all;
  });

test('a person created, changed and deleted becomes three events in the order of their revisions', async () => {
  await connect();
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${sandbox.url}/api/v2/persons${path}`, {
      method,
      headers: { 'x-api-token': sandbox.apiToken, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return JSON.parse(await response.text()).data;
  };
  const told = (count: number) =>
    eventually(async () => {
      const all = await changes();
      expect(all).toHaveLength(count);
      return all;
    });
  const person = await call('POST', '', { name: 'Grace Canary' });
  await told(1);
  await call('PATCH', `/${person.id}`, { name: 'Grace H. Canary' });
  await told(2);
  await call('DELETE', `/${person.id}`);
  const all = await told(3);
  expect(all.map(({ payload }) => payload.action)).toEqual(['created', 'updated', 'deleted']);
  expect(all[1].payload).toMatchObject({
    connectionId: hooks.id,
    object: 'person',
    pipedriveId: String(person.id),
    changedKeys: expect.arrayContaining(['name']),
    origin: 'pipedrive',
  });
  expect(all[1].actor).toMatchObject({ kind: 'pipedrive' });
  expect(JSON.stringify(all)).not.toContain('Canary');
});

test('the record of a receipt can be read, cut down to the named fields, for no tokens', async () => {
  await connect();
  expect(await deliver(change())).toBe(200);
  const [told] = await eventually(async () => {
    const all = await changes();
    expect(all).toHaveLength(1);
    return all;
  });
  const { receiptId } = told.payload;
  const fields = ['name'];
  const question = { workspaceId: hooks.workspaceId, receiptIds: [receiptId], fields };
  expect((await ask(nats.nats, ReadReceipts, question)).records).toEqual([
    {
      receiptId,
      record: {
        object: 'person',
        id: '8',
        updateTime: '2026-03-01T10:00:00Z',
        addTime: null,
        deleted: false,
        fields: { name: 'Ada Canary' },
      },
    },
  ]);
  const stranger = { workspaceId: newWorkspace(), receiptIds: [receiptId], fields };
  const foreign = await ask(nats.nats, ReadReceipts, stranger);
  expect(foreign.records).toEqual([{ receiptId, record: null }]);
});

test.each([
  ['a wrong password', { authorization: basicAuthorization('manifold', 'wrong') }],
  ['no credentials', { authorization: '' }],
  ['another user name', { authorization: basicAuthorization('admin', 'x') }],
])('%s is turned away with 401, and nothing is stored', async (_, headers) => {
  await connect();
  expect(await deliver(change(), { headers })).toBe(401);
  expect(await receipts()).toEqual([]);
});

test.each([
  ['a path that was made up', `/webhooks/${'A'.repeat(43)}`, 401],
  ['a path of another form', '/webhooks/short', 404],
])('%s finds nobody', async (_, path, status) => {
  await connect();
  expect(await deliver(change(), { to: `${installation.publicUrl}${path}` })).toBe(status);
  expect(await receipts()).toEqual([]);
});

test("one connection's password does not open another's path", async () => {
  await connect();
  const foreign = hooks.address;
  await connect();
  expect(await deliver(change(), { to: foreign })).toBe(401);
});

test.each([
  ['is not JSON', '{"Canary":', {}, 400],
  ['is a form', 'Canary=1', { 'content-type': 'application/x-www-form-urlencoded' }, 400],
  ['is larger than 1 MiB', JSON.stringify({ Canary: 'x'.repeat(1024 * 1024) }), {}, 413],
])(
  'a body that %s is refused, logged without its content, and not stored',
  async (_, body, headers, status) => {
    await connect();
    expect(await deliver(body, { headers })).toBe(status);
    expect(await receipts()).toEqual([]);
  },
);

test.each([
  ['of another company', () => change({ company_id: '666' }), 'company_mismatch'],
  ['of no form we know', () => ({ hello: 'Canary' }), 'message_unreadable'],
  ['without its record', () => ({ ...change(), data: null }), 'message_unreadable'],
  ['with an id no record has', () => change({ entity_id: '../users' }), 'message_unreadable'],
  ['with a NUL in its id', () => change({ id: 'a\u0000b' }), 'message_unreadable'],
])(
  'a delivery %s is kept from being told, and a person is told why',
  async (_, payload, reason) => {
    await connect();
    expect(await deliver(payload())).toBe(200);
    const [receipt] = await allSettled();
    expect(receipt).toMatchObject({ state: 'parked', body: expect.any(String), record: null });
    expect(receipt?.body).not.toContain('Canary');
    expect(await changes()).toEqual([]);
    const [parked] = await listEvents(database.db, hooks.workspaceId, 'message_parked');
    expect(parked.payload).toMatchObject({ messageId: receipt?.id, reason });
  },
);

test('a kind of record nobody follows is passed over', async () => {
  await connect();
  expect(await deliver(change({ entity: 'pipeline' }))).toBe(200);
  expect((await allSettled()).map(({ state }) => state)).toEqual(['ignored']);
});

test('while a connection is switched off its deliveries are kept, and understood once it is switched on (SL-15)', async () => {
  await connect();
  const switchTo = (name: string, type: string) =>
    installation.graph(
      `mutation ($input: ${type}!) { ${name}(input: $input) { connection { id } } }`,
      { input: { id: hooks.id } },
      hooks,
    );
  await switchTo('disableConnection', 'DisableConnectionInput');
  expect(await deliver(change())).toBe(200);
  const [kept] = await receipts();
  expect(kept).toMatchObject({ state: 'received', record: null });
  expect(kept?.body).not.toContain('Canary');
  await switchTo('enableConnection', 'EnableConnectionInput');
  await allSettled();
  expect(await changes()).toHaveLength(1);
});

test('without Postgres the answer is 503, so that Pipedrive tries again', async () => {
  const away = connectDatabase<Tables>('postgres://nobody@127.0.0.1:9/none');
  const deps = { db: away, vault, now: () => new Date(), wake: () => undefined, log: silentLog };
  const routes = { '/webhooks/': createWebhookHandler(deps) };
  const http = await startHttp({ host: '127.0.0.1', port: 0, routes, checks: {}, log: silentLog });
  const to = `http://127.0.0.1:${http.port}/webhooks/${'A'.repeat(43)}`;
  expect(await deliver(change(), { to })).toBe(503);
  await http.stop();
  await away.destroy();
});

test('while a key is not here yet the answer is 503, so that Pipedrive tries again', async () => {
  await connect();
  const unseal = () => {
    throw new Refusal('unavailable', 'no key', { reason: 'service_unavailable' });
  };
  const { db } = database;
  const keyless = { ...vault, unseal };
  const deps = { db, vault: keyless, now: () => new Date(), wake: () => undefined, log: silentLog };
  const routes = { '/webhooks/': createWebhookHandler(deps) };
  const http = await startHttp({ host: '127.0.0.1', port: 0, routes, checks: {}, log: silentLog });
  const to = `http://127.0.0.1:${http.port}${new URL(hooks.address).pathname}`;
  expect(await deliver(change(), { to })).toBe(503);
  await http.stop();
});

test('an unknown custom field has the catalogue read again', async () => {
  await connect();
  const response = await fetch(`${sandbox.url}/api/v2/personFields`, {
    method: 'POST',
    headers: { 'x-api-token': sandbox.apiToken, 'content-type': 'application/json' },
    body: JSON.stringify({ field_name: 'Favourite colour', field_type: 'varchar' }),
  });
  const { field_code } = JSON.parse(await response.text()).data;
  // a catalogue is not read twice within a minute
  await acrossWorkspaces(database.db, (tx) =>
    tx
      .updateTable('field_catalogue')
      .set({ read_at: new Date(Date.now() - 61_000) })
      .execute(),
  );
  const custom_fields = { [field_code]: { type: 'varchar', value: 'green' } };
  await deliver({ ...change(), data: { id: 8, name: 'Ada', custom_fields } });
  await eventually(async () => {
    const told = await listEvents(database.db, hooks.workspaceId, 'fields_changed');
    expect(told.map(({ payload }) => payload.added)).toEqual([[field_code]]);
  });
});

test('nothing of a delivery is kept longer than a week', async () => {
  await connect();
  await deliver(change());
  const [receipt] = await allSettled();
  const at = (ms: number) => new Date((receipt?.received_at.getTime() ?? 0) + ms);
  const deps = { db: database.db };
  await purgeReceipts({ ...deps, now: () => at(KEEP_MS) });
  expect(await receipts()).toHaveLength(1);
  await purgeReceipts({ ...deps, now: () => at(KEEP_MS + 1) });
  expect(await receipts()).toEqual([]);
});

test('no value of a record, no path and no password is in a log line or, in plain text, in a table', async () => {
  await connect();
  await deliver(change());
  await allSettled();
  const places = `${lines.join('\n')}\n${await dumpTables(database.db)}`;
  const path = hooks.address.split('/').at(-1) ?? '';
  for (const secret of ['Canary', path, hooks.password]) expect(places).not.toContain(secret);
});
