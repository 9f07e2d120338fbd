import { Readable } from 'node:stream';
import { acrossWorkspaces } from '@manifold/database';
import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { startForging } from '../../test/forging.ts';
import { listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { basicAuthorization } from '../vault/compare.ts';
import { NEWCOMERS } from './limits/rules.ts';

/** 10,000 in `forged.long.test.ts`. */
const COUNT = 1_000;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const { log, lines } = captureLog();
/** Set: the service's clock stands still there. */
let standsAt: Date | undefined;
const now = () => standsAt ?? new Date();
const forging = await startForging({ database, natsUrl: nats.url, sandbox, log, now });
const { hooks, pool } = forging;
afterAll(async () => {
  await forging.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

test(`of ${COUNT} forged or malformed webhooks none is accepted, and no secret is in a log`, async () => {
  expect(await forging.sendForged(COUNT)).toEqual([]);
  const states = async () => expect(await forging.statesOfForged()).toEqual(['ignored', 'parked']);
  await eventually(states, { timeoutMs: 30_000 });
  expect(await forging.lookAfter(lines)).toEqual({ told: [], leaked: [] });
  expect({}).not.toHaveProperty('meta');
}, 180_000);

test('in a flood of forged webhooks all are told to come back later but the right ones', async () => {
  expect(await hooks.deliver(hooks.change({ company_id: '666' }))).toBe(200);
  const path = new URL(hooks.address).pathname;
  const headers = { 'content-type': 'application/json', authorization: 'Basic d3Jvbmc=' };
  // however slow the machine: an allowance fills up by the clock
  standsAt = now();
  onTestFinished(() => {
    standsAt = undefined;
  });
  const answers = await Promise.all(
    Array.from({ length: NEWCOMERS.burst + 50 }, () =>
      pool.request({ path, method: 'POST', headers }),
    ),
  );
  await Promise.all(answers.map(({ body }) => body.dump()));
  const limited = answers.filter(({ statusCode }) => statusCode === 429);
  expect(limited.length).toBeGreaterThanOrEqual(50);
  expect(new Set(limited.map((answer) => answer.headers['retry-after']))).toEqual(new Set(['1']));
  const others = answers.filter((answer) => !limited.includes(answer));
  expect(others.filter(({ statusCode }) => statusCode !== 401)).toEqual([]);
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
