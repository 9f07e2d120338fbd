import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { APP, basic, consent } from '../testing/consent.ts';
import { createCaller } from '../testing/caller.ts';
import { eventually } from '../testing/eventually.ts';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

const DAY_MS = 86_400_000;
let sandbox: TestSandbox;
afterEach(() => sandbox.stop());

const nowOf = async () => Date.parse((await sandbox.call('GET', '/control/state')).body.now);
const advance = (advanceMs: number) => sandbox.call('POST', '/control/clock', { advanceMs });

test('the clock runs as many times faster as asked for', async () => {
  sandbox = await startTestSandbox({ timeFactor: 10_000 });
  const first = await nowOf();
  const real = Date.now();
  await eventually(() => expect(Date.now() - real).toBeGreaterThan(20));
  expect((await nowOf()) - first).toBeGreaterThan(20 * 9_000);
  expect((await sandbox.call('GET', '/control/state')).body.timeFactor).toBe(10_000);
});

test('the handle’s clock is the sandbox’s, jumps included', async () => {
  sandbox = await startTestSandbox();
  await advance(DAY_MS);
  expect(sandbox.clock.now().getTime() - Date.now()).toBeGreaterThan(DAY_MS - 60_000);
  expect(sandbox.clock.realMs(500)).toBe(500);
});

test('search lag passes with the clock', async () => {
  sandbox = await startTestSandbox({ searchLagMs: 600_000 });
  await sandbox.call('POST', '/api/v2/persons', { name: 'Lagging' });
  const search = async () =>
    (await sandbox.call('GET', '/api/v2/persons/search?term=Lagging')).body.data.items;
  expect(await search()).toEqual([]);
  await advance(600_000);
  expect(await search()).toHaveLength(1);
});

test('latency is shorter by the factor', async () => {
  sandbox = await startTestSandbox({ timeFactor: 1_000 });
  await sandbox.call('POST', '/control/faults', { kind: 'latency', ms: 600_000, times: 1 });
  expect((await sandbox.call('GET', '/v1/users/me')).status).toBe(200);
});

test('access tokens end after an hour, grants after sixty idle days, by the clock', async () => {
  sandbox = await startTestSandbox();
  await sandbox.call('POST', '/control/apps', APP);
  const { users } = (await sandbox.call('GET', '/control/state')).body;
  const app = createCaller(sandbox.url, basic(APP.clientId, APP.clientSecret));
  const code = (await consent(app, { userId: users[0].id })).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: APP.redirectUris[0] ?? '' };
  const tokens = (await app('POST', '/oauth/token', new URLSearchParams(form))).body;
  const call = createCaller(sandbox.url, { authorization: `Bearer ${tokens.access_token}` });
  expect((await call('GET', '/v1/users/me')).status).toBe(200);
  await advance(61 * 60_000);
  expect((await call('GET', '/v1/users/me')).status).toBe(401);
  const again = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token };
  await advance(59 * DAY_MS);
  expect((await app('POST', '/oauth/token', new URLSearchParams(again))).status).toBe(200);
  await advance(60 * DAY_MS);
  expect((await app('POST', '/oauth/token', new URLSearchParams(again))).status).toBe(400);
});

test('a data file remembers how far the clock has jumped', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-clock-'));
  const dataFile = join(folder, 'data.sqlite');
  const first = await startTestSandbox({ dataFile });
  await first.call('POST', '/control/clock', { advanceMs: DAY_MS });
  const before = first.clock.now().getTime();
  await first.stop();
  sandbox = await startTestSandbox({ dataFile });
  expect(await nowOf()).toBeGreaterThanOrEqual(before);
  await rm(folder, { recursive: true });
});

test.each([-1, 1e15, 'tomorrow', undefined])('the clock cannot jump by %s', async (advanceMs) => {
  sandbox = await startTestSandbox();
  expect((await sandbox.call('POST', '/control/clock', { advanceMs })).status).toBe(400);
});

test('a request that waits does not keep the sandbox from stopping', async () => {
  sandbox = await startTestSandbox();
  await sandbox.call('POST', '/control/faults', { kind: 'latency', ms: DAY_MS });
  const waiting = sandbox.call('GET', '/v1/users/me').catch(() => 'cut');
  await eventually(async () => {
    const [fault] = (await sandbox.call('GET', '/control/faults')).body;
    expect(fault.struck).toBe(1);
  });
  await sandbox.stop();
  expect(await waiting).toBe('cut');
  sandbox = await startTestSandbox();
});
