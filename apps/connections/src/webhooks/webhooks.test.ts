import { ReadReceipts } from '@manifold/contracts';
import { acrossWorkspaces, connectDatabase } from '@manifold/database';
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
import { type Installation, newWorkspace, startInstallation } from '../../test/installation.ts';
import { dumpTables, listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { basicAuthorization } from '../vault/compare.ts';
import { createVault } from '../vault/seal.ts';
import { createWebhookHandler } from './http.ts';
import { KEEP_MS } from './rules.ts';
import { purgeReceipts } from './worker.ts';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const vault = createVault(Buffer.alloc(32, 7));
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

test('a person created, changed and deleted becomes three events, ordered by revision however they arrive', async () => {
  await connect();
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${sandbox.url}/api/v2/persons${path}`, {
      method,
      headers: { 'x-api-token': sandbox.apiToken, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return JSON.parse(await response.text()).data;
  };
  const person = await call('POST', '', { name: 'Grace Canary' });
  await call('PATCH', `/${person.id}`, { name: 'Grace H. Canary' });
  await call('DELETE', `/${person.id}`);
  const told = await eventually(async () => {
    const all = await changes();
    expect(all).toHaveLength(3);
    return all.toSorted((one, other) => one.payload.revision - other.payload.revision);
  });
  expect(told.map(({ payload }) => payload.action)).toEqual(['created', 'updated', 'deleted']);
  expect(told[1].payload).toMatchObject({
    connectionId: hooks.id,
    object: 'person',
    pipedriveId: String(person.id),
    changedKeys: expect.arrayContaining(['name']),
    origin: 'pipedrive',
  });
  expect(told[1].actor).toMatchObject({ kind: 'pipedrive' });
  expect(JSON.stringify(told)).not.toContain('Canary');
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

test('a delivery that comes again, or three at once, is told once', async () => {
  await connect();
  const payload = change();
  await Promise.all([deliver(payload), deliver(payload), deliver(payload)]);
  await allSettled();
  await deliver({ ...payload, meta: { ...payload.meta, attempt: 2 } });
  const all = await allSettled();
  expect(all.map(({ state }) => state).sort()).toEqual([
    'repeated',
    'repeated',
    'repeated',
    'understood',
  ]);
  expect(await changes()).toHaveLength(1);
});

test('a merge is told as the loser merging into the survivor', async () => {
  await connect();
  const loser = change({ action: 'delete', merged_to_id: '7' });
  await deliver({ ...loser, data: null, previous: { id: 8, name: 'Ada' } });
  await allSettled();
  const [told] = await changes();
  expect(told.payload).toMatchObject({ action: 'merged', mergedIntoPipedriveId: '7' });
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
])(
  'a delivery %s is kept from being told, and a person is told why',
  async (_, payload, reason) => {
    await connect();
    expect(await deliver(payload())).toBe(200);
    const [receipt] = await allSettled();
    expect(receipt).toMatchObject({ state: 'parked', body: null, record: null });
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

test('while a connection is switched off its deliveries are acknowledged and not kept (SL-15)', async () => {
  await connect();
  const DISABLE = `mutation ($input: DisableConnectionInput!) { disableConnection(input: $input) { connection { id } } }`;
  await installation.graph(DISABLE, { input: { id: hooks.id } }, hooks);
  expect(await deliver(change())).toBe(200);
  expect(await receipts()).toEqual([]);
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
  const deps = { db: database.db, vault, log: silentLog, follow: async () => false };
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
