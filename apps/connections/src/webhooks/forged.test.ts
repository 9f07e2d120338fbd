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
import { lookAfterForging, sendForged, statesOf, wrongAnswers } from '../../test/forging.ts';
import { type Installation, startInstallation } from '../../test/installation.ts';
import { listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { basicAuthorization } from '../vault/compare.ts';

/** 10,000 in `forged.long.test.ts`. */
const COUNT = 2_000;

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

test(`of ${COUNT} forged or malformed webhooks none is accepted, and no secret is in a log`, async () => {
  expect(wrongAnswers(await sendForged({ hooks, pool }, COUNT))).toEqual([]);
  const { db } = database;
  await eventually(async () => expect(await statesOf(db)).toEqual(['ignored', 'parked']), {
    timeoutMs: 30_000,
  });
  expect(await lookAfterForging({ db, hooks, lines })).toEqual({ told: [], leaked: [] });
  expect({}).not.toHaveProperty('meta');
}, 180_000);

test('in a flood of forged webhooks all are told to come back later but the right ones', async () => {
  expect(await hooks.deliver(hooks.change({ company_id: '666' }))).toBe(200);
  const path = new URL(hooks.address).pathname;
  const headers = { 'content-type': 'application/json', authorization: 'Basic d3Jvbmc=' };
  const seen = await eventually(
    async () => {
      const answers = await Promise.all(
        Array.from({ length: 200 }, () => pool.request({ path, method: 'POST', headers })),
      );
      await Promise.all(answers.map(({ body }) => body.dump()));
      const limited = answers.find(({ statusCode }) => statusCode === 429);
      expect(limited?.headers['retry-after']).toBe('1');
      return new Set(answers.map(({ statusCode }) => statusCode));
    },
    { timeoutMs: 30_000 },
  );
  expect([...seen].filter((status) => status !== 401 && status !== 429)).toEqual([]);
  const statuses = await Promise.all(
    Array.from({ length: 100 }, () => hooks.deliver(hooks.change({ company_id: '666' }))),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
}, 60_000);

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
