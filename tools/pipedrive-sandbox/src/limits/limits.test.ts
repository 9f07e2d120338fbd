import { afterEach, expect, test } from 'vitest';
import { createCaller } from '../testing/caller.ts';
import { APP, basic, consent } from '../testing/consent.ts';
import { createClock, startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';
import type { Limits } from './limits.ts';

let sandbox: TestSandbox;
let clock: ReturnType<typeof createClock>;

afterEach(() => sandbox.stop());

async function start(limits: Limits | 'off'): Promise<TestSandbox> {
  clock = createClock();
  sandbox = await startTestSandbox({ limits, now: clock.now });
  return sandbox;
}

async function statuses(count: number, path: string): Promise<number[]> {
  const answers: number[] = [];
  for (let at = 0; at < count; at += 1) answers.push((await sandbox.call('GET', path)).status);
  return answers;
}

test('an API token of the Lite plan has twenty requests in any two seconds', async () => {
  await start({ plan: 'lite' });
  expect(await statuses(20, '/v1/users/me')).not.toContain(429);
  const refused = await sandbox.call('GET', '/v1/users/me');
  expect(refused.status).toBe(429);
  expect(refused.body).toMatchObject({ success: false, error: 'request over limit' });
  expect(refused.headers.get('x-ratelimit-limit')).toBe('20');
  expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
  expect(refused.headers.get('x-ratelimit-reset')).toBe('2');
  clock.pass(1_999);
  expect((await sandbox.call('GET', '/v1/users/me')).status).toBe(429);
  clock.pass(1);
  expect((await sandbox.call('GET', '/v1/users/me')).headers.get('x-ratelimit-remaining')).toBe(
    '19',
  );
});

test('another user’s token has its own window', async () => {
  await start({ plan: 'lite' });
  await statuses(21, '/v1/users/me');
  const { users } = (await sandbox.call('GET', '/control/state')).body;
  const other = createCaller(sandbox.url, { 'x-api-token': users[1].apiToken });
  expect((await other('GET', '/v1/users/me')).status).toBe(200);
});

test('an OAuth token has four times as many', async () => {
  await start({ plan: 'lite' });
  await sandbox.call('POST', '/control/apps', APP);
  const anyone = createCaller(sandbox.url, basic(APP.clientId, APP.clientSecret));
  const { users } = (await sandbox.call('GET', '/control/state')).body;
  const code = (await consent(anyone, { userId: users[0].id })).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: APP.redirectUris[0] ?? '' };
  const { access_token: token } = (await anyone('POST', '/oauth/token', new URLSearchParams(form)))
    .body;
  const call = createCaller(sandbox.url, { authorization: `Bearer ${token}` });
  expect((await call('GET', '/v1/users/me')).headers.get('x-ratelimit-limit')).toBe('80');
});

test('ten searches in two seconds, whatever the plan', async () => {
  await start({ plan: 'ultimate' });
  const search = '/api/v2/persons/search?term=nobody&exact_match=true';
  expect(await statuses(11, search)).toEqual([...Array(10).fill(200), 429]);
  expect((await sandbox.call('GET', '/api/v2/persons')).status).toBe(200);
});

test('the day’s budget is 30,000 × plan × seats, spent at each operation’s price, until midnight', async () => {
  await start({ plan: 'growth', seats: 3, apiToken: null });
  const limit = 'x-daily-ratelimit-token-limit';
  const left = 'x-daily-ratelimit-token-remaining';
  const first = await sandbox.call('GET', '/api/v2/persons');
  expect([first.headers.get(limit), first.headers.get(left)]).toEqual(['180000', '179990']);

  await sandbox.call('PUT', '/control/limits', { plan: 'lite', dailyTokens: 13, apiToken: 'off' });
  expect((await sandbox.call('GET', '/v1/users/me')).headers.get(left)).toBe('1');
  const broke = await sandbox.call('GET', '/v1/users/me');
  expect([broke.status, broke.headers.get(left)]).toEqual([429, '0']);
  clock.pass(12 * 60 * 60_000);
  expect((await sandbox.call('GET', '/v1/users/me')).status).toBe(200);
});

test('a refused request costs nothing and the ledger says so', async () => {
  await start({ plan: 'lite', apiToken: 1 });
  await statuses(3, '/api/v2/organizations');
  const { tokens, operations } = (await sandbox.call('GET', '/control/ledger')).body;
  expect(tokens).toBe(10);
  expect(operations).toEqual([{ operation: 'v2 getOrganizations', requests: 1, tokens: 10 }]);
});

test('limits are off unless switched on, and then no header speaks of them', async () => {
  await start('off');
  const [first] = await Promise.all(
    Array.from({ length: 60 }, () => sandbox.call('GET', '/v1/users/me')),
  );
  expect([...(first?.headers.keys() ?? [])].filter((key) => key.includes('ratelimit'))).toEqual([]);
  expect((await statuses(60, '/v1/users/me')).includes(429)).toBe(false);
});

test('the token a refresh brings shares the window of the one before', async () => {
  await start({ plan: 'lite', oauth: 3 });
  await sandbox.call('POST', '/control/apps', APP);
  const anyone = createCaller(sandbox.url, basic(APP.clientId, APP.clientSecret));
  const { users } = (await sandbox.call('GET', '/control/state')).body;
  const code = (await consent(anyone, { userId: users[0].id })).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: APP.redirectUris[0] ?? '' };
  const { refresh_token } = (await anyone('POST', '/oauth/token', new URLSearchParams(form))).body;
  for (const expected of [200, 200, 200, 429]) {
    const again = new URLSearchParams({ grant_type: 'refresh_token', refresh_token });
    const { access_token: token } = (await anyone('POST', '/oauth/token', again)).body;
    const call = createCaller(sandbox.url, { authorization: `Bearer ${token}` });
    expect((await call('GET', '/v1/users/me')).status).toBe(expected);
  }
});
