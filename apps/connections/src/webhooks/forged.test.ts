import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { acrossWorkspaces } from '@manifold/database';
import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { Pool } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectForDeliveries, type Deliveries } from '../../test/deliveries.ts';
import { type Installation, startInstallation } from '../../test/installation.ts';
import { dumpTables, listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { basicAuthorization } from '../vault/compare.ts';

/** 10,000 in the long run. */
const COUNT = process.env['MANIFOLD_LONG'] === '1' ? 10_000 : 2_000;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const { log, lines } = captureLog();
let installation: Installation;
let hooks: Deliveries;
let pool: Pool;

beforeAll(async () => {
  installation = await startInstallation({
    urls: database.urls,
    natsUrl: nats.url,
    sandbox,
    log,
  });
  const { db } = database;
  hooks = await connectForDeliveries(installation, { db, apiToken: sandbox.apiToken });
  pool = new Pool(installation.publicUrl, { connections: 8 });
});
afterAll(async () => {
  await pool.destroy();
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

interface Forgery {
  path: string;
  authorization: string;
  type: string;
  body: string;
  /** What the answer may be. */
  expected: number;
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** Every way to be no webhook of ours, in turn; `n` makes each one different. */
function forgeries(n: number): Forgery[] {
  const right = {
    path: new URL(hooks.address).pathname,
    authorization: basicAuthorization('manifold', hooks.password),
    type: 'application/json',
    body: JSON.stringify(hooks.change()),
  };
  const random = randomBytes(32).toString('base64url');
  const meta = (change: object) => JSON.stringify(hooks.change(change as never));
  const unknown = { ...right, path: `/webhooks/${random}` };
  const wrong = { ...right, authorization: basicAuthorization('manifold', random) };
  const body = (text: string) => ({ ...right, body: text });
  return [
    { ...unknown, expected: 401 },
    { ...wrong, expected: 401 },
    { ...right, authorization: '', expected: 401 },
    { ...right, authorization: `Bearer ${hooks.password}`, expected: 401 },
    { ...right, authorization: basicAuthorization('admin', hooks.password), expected: 401 },
    { ...right, path: `${right.path}x`, expected: 404 },
    { ...right, path: '/webhooks/../graphql', expected: 404 },
    { ...right, path: `/webhooks//${random}`, expected: 404 },
    { ...right, type: 'text/plain', expected: 400 },
    { ...right, type: 'application/x-www-form-urlencoded', body: 'Canary=1', expected: 400 },
    { ...body(`{"Canary":${n}`), expected: 400 },
    { ...body('\u0000\u0001Canary'), expected: 400 },
    { ...body(''), expected: 400 },
    { ...body(nested(20_000)), expected: 200 },
    { ...body(`{"meta":${nested(5_000)}}`), expected: 200 },
    { ...body('null'), expected: 200 },
    { ...body(`"Canary ${n}"`), expected: 200 },
    { ...body(meta({ company_id: String(666 + n) })), expected: 200 },
    { ...body(meta({ id: `a\u0000${n}` })), expected: 200 },
    { ...body(meta({ id: '\ud800' })), expected: 200 },
    { ...body(meta({ entity_id: `../users/${n}` })), expected: 200 },
    { ...body(meta({ entity_id: { $ne: n } })), expected: 200 },
    { ...body(meta({ entity: '__proto__' })), expected: 200 },
    { ...body(meta({ timestamp: '1e400' })), expected: 200 },
    { ...body(meta({ action: 'drop' })), expected: 200 },
    { ...body('{"__proto__":{"meta":{}},"constructor":{"prototype":1}}'), expected: 200 },
  ];
}

test(`of ${COUNT} forged or malformed webhooks none is accepted, and no secret is in a log`, async () => {
  const kinds = forgeries(0).length;
  const answers = new Map<string, number>();
  const send = async (n: number) => {
    const forgery = forgeries(n)[n % kinds];
    if (forgery === undefined) return;
    const { path, authorization, type, body, expected } = forgery;
    const headers = { 'content-type': type, authorization };
    const answer = await pool.request({ path, method: 'POST', headers, body });
    await answer.body.dump();
    const outcome = `${n % kinds}: ${answer.statusCode} for ${expected}`;
    answers.set(outcome, (answers.get(outcome) ?? 0) + 1);
  };
  for (let n = 0; n < COUNT; n += 40) {
    await Promise.all(Array.from({ length: Math.min(40, COUNT - n) }, (_, i) => send(n + i)));
  }
  const wrong = [...answers.keys()].filter((outcome) => !/: (\d+) for \1$/.test(outcome));
  expect(wrong).toEqual([]);
  await eventually(
    async () => {
      const waiting = await acrossWorkspaces(database.db, (tx) =>
        tx.selectFrom('webhook_receipt').select('id').where('state', '=', 'received').execute(),
      );
      expect(waiting).toHaveLength(0);
    },
    { timeoutMs: 30_000 },
  );
  expect(await listEvents(database.db, hooks.workspaceId, 'record_changed')).toEqual([]);
  const states = await acrossWorkspaces(database.db, (tx) =>
    tx.selectFrom('webhook_receipt').select('state').distinct().execute(),
  );
  expect(states.map(({ state }) => state).toSorted()).toEqual(['ignored', 'parked']);
  const places = `${lines.join('\n')}\n${await dumpTables(database.db)}`;
  const secrets = ['Canary', new URL(hooks.address).pathname.slice(10), hooks.password];
  for (const secret of secrets) expect(places).not.toContain(secret);
  expect({}).not.toHaveProperty('meta');
}, 180_000);

test('a body of more than 1 MiB is refused before it is kept, declared or not', async () => {
  const { pathname: path } = new URL(hooks.address);
  const authorization = basicAuthorization('manifold', hooks.password);
  const headers = { 'content-type': 'application/json', authorization };
  const chunk = Buffer.alloc(64 * 1024, ' ');
  async function* endless() {
    for (let n = 0; n < 40; n += 1) yield chunk;
  }
  const whole = Buffer.alloc(1024 * 1024 + 1, ' ');
  for (const body of [whole, Readable.from(endless())]) {
    const answer = await pool.request({ path, method: 'POST', headers, body });
    await answer.body.dump();
    expect(answer.statusCode).toBe(413);
  }
});

test('a webhook of another subscription is looked at again, then set aside for a person', async () => {
  const told = hooks.change({ webhook_id: '999999', entity_id: '31' });
  expect(await hooks.deliver(told)).toBe(200);
  await eventually(
    async () => {
      const parked = await listEvents(database.db, hooks.workspaceId, 'message_parked');
      expect(parked.map(({ payload }) => payload.reason)).toContain('webhook_unknown');
    },
    { timeoutMs: 15_000 },
  );
  expect(await listEvents(database.db, hooks.workspaceId, 'record_changed')).toEqual([]);
});

test.each([
  ['that comes twice', 'double-hook'],
  ['that is overtaken by the next', 'reorder-hook'],
])('a webhook %s ends as if it had come once and in order', async (_, kind) => {
  await fetch(`${sandbox.controlUrl}/faults`, {
    method: 'POST',
    body: JSON.stringify({ kind, match: { event: 'change.person' }, times: 1 }),
  });
  const call = async (method: string, path: string, body: object) => {
    const response = await fetch(`${sandbox.url}/api/v2/persons${path}`, {
      method,
      headers: { 'x-api-token': sandbox.apiToken, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return JSON.parse(await response.text()).data;
  };
  const { id } = await call('POST', '', { name: 'One' });
  await call('PATCH', `/${id}`, { name: 'Two' });
  await call('PATCH', `/${id}`, { name: 'Three' });
  const mine = () =>
    acrossWorkspaces(database.db, (tx) =>
      tx
        .selectFrom('webhook_receipt')
        .select(['state', 'revision'])
        .where('pipedrive_id', '=', String(id))
        .orderBy('revision')
        .execute(),
    );
  const events = await eventually(
    async () => {
      const receipts = await mine();
      expect(receipts.length).toBeGreaterThanOrEqual(3);
      expect(receipts.at(-1)?.state).toBe('understood');
      const all = await listEvents(database.db, hooks.workspaceId, 'record_changed');
      const ofRecord = all.filter(({ payload }) => payload.pipedriveId === String(id));
      expect(Math.max(...ofRecord.map(({ payload }) => payload.revision))).toBe(
        Number(receipts.at(-1)?.revision),
      );
      return ofRecord;
    },
    { timeoutMs: 10_000 },
  );
  const revisions = events.map(({ payload }) => payload.revision);
  expect(revisions).toEqual(revisions.toSorted((one, other) => one - other));
  expect(new Set(revisions).size).toBe(revisions.length);
});
