import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Caller, createCaller } from '../testing/caller.ts';
import { APP, basic, consent } from '../testing/consent.ts';
import { eventually } from '../testing/eventually.ts';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
let app: Caller;
let userId: number;

beforeEach(async () => {
  sandbox = await startTestSandbox();
  await sandbox.call('POST', '/control/apps', APP);
  app = createCaller(sandbox.url, basic(APP.clientId, APP.clientSecret));
  userId = (await sandbox.call('GET', '/control/state')).body.users[1].id;
});
afterEach(() => sandbox.stop());

async function install() {
  const code = (await consent(app, { userId })).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: APP.redirectUris[0] ?? '' };
  return (await app('POST', '/oauth/token', new URLSearchParams(form))).body;
}

const refresh = (token: string) =>
  app(
    'POST',
    '/oauth/token',
    new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
  );
const addFault = (body: object) => sandbox.call('POST', '/control/grants/faults', body);
const grants = async () => (await sandbox.call('GET', '/control/grants')).body;

test('a refresh keeps the refresh token, and the calls are counted', async () => {
  const tokens = await install();
  for (let at = 0; at < 3; at += 1)
    expect((await refresh(tokens.refresh_token)).body.refresh_token).toBe(tokens.refresh_token);
  expect((await refresh('nonsense')).status).toBe(400);
  expect(await grants()).toEqual([
    expect.objectContaining({ clientId: APP.clientId, userId, asked: 3, granted: 3, refused: 0 }),
    expect.objectContaining({ userId: null, asked: 1, refused: 1, installed: false }),
  ]);
});

test('a rotating refresh token is spent by its use', async () => {
  const tokens = await install();
  await addFault({ kind: 'rotate' });
  const next = (await refresh(tokens.refresh_token)).body;
  expect(next.refresh_token).not.toBe(tokens.refresh_token);
  const reused = await refresh(tokens.refresh_token);
  expect([reused.status, reused.body.error]).toEqual([400, 'invalid_grant']);
  expect((await refresh(next.refresh_token)).status).toBe(200);
});

test('with revoke-on-reuse a spent refresh token ends the whole grant', async () => {
  const tokens = await install();
  await addFault({ kind: 'revoke-on-reuse' });
  const next = (await refresh(tokens.refresh_token)).body;
  expect((await refresh(tokens.refresh_token)).status).toBe(400);
  expect((await refresh(next.refresh_token)).status).toBe(400);
  const call = createCaller(sandbox.url, { authorization: `Bearer ${next.access_token}` });
  expect((await call('GET', '/v1/users/me')).status).toBe(401);
  expect((await grants())[0]).toMatchObject({ installed: false, revoked: 1, granted: 1 });
});

test.each([
  ['refuse', 400],
  ['500', 500],
])(
  'the refresh fault %s strikes as often as asked for, and one grant only',
  async (kind, status) => {
    const tokens = await install();
    await addFault({ kind, userId: userId + 1 });
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
    await addFault({ kind, clientId: APP.clientId, userId, times: 1 });
    expect((await refresh(tokens.refresh_token)).status).toBe(status);
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
  },
);

test('a slow refresh takes its time by the clock', async () => {
  const tokens = await install();
  await addFault({ kind: 'slow', ms: 3_600_000, times: 1 });
  const answer = refresh(tokens.refresh_token);
  await eventually(async () => expect((await grants())[0].asked).toBe(1));
  await sandbox.call('POST', '/control/clock', { advanceMs: 3_600_000 });
  expect((await answer).status).toBe(200);
});

test('grant faults can be listed and removed, and unknown ones are refused', async () => {
  await addFault({ kind: 'refuse' });
  expect((await sandbox.call('GET', '/control/grants/faults')).body).toHaveLength(1);
  await sandbox.call('DELETE', '/control/grants/faults');
  expect((await sandbox.call('GET', '/control/grants/faults')).body).toEqual([]);
  expect((await addFault({ kind: 'fire' })).status).toBe(400);
});

test('access tokens can be made to expire at once', async () => {
  const tokens = await install();
  const call = createCaller(sandbox.url, { authorization: `Bearer ${tokens.access_token}` });
  const at = { clientId: APP.clientId, userId };
  expect((await sandbox.call('POST', '/control/grants/expire', at)).body).toEqual({ expired: 1 });
  expect((await call('GET', '/v1/users/me')).status).toBe(401);
  expect((await refresh(tokens.refresh_token)).status).toBe(200);
  const other = { ...at, userId: 1 };
  expect((await sandbox.call('POST', '/control/grants/expire', other)).status).toBe(404);
});

test('a deactivated user’s tokens are good for nothing until the user is active again', async () => {
  const tokens = await install();
  const call = createCaller(sandbox.url, { authorization: `Bearer ${tokens.access_token}` });
  const { users } = (await sandbox.call('GET', '/control/state')).body;
  const own = createCaller(sandbox.url, { 'x-api-token': users[1].apiToken });
  await sandbox.call('POST', `/control/users/${userId}`, { active: false });
  expect((await call('GET', '/v1/users/me')).status).toBe(401);
  expect((await own('GET', '/v1/users/me')).status).toBe(401);
  expect((await refresh(tokens.refresh_token)).status).toBe(400);
  expect((await sandbox.call('GET', `/v1/users/${userId}`)).body.data.active_flag).toBe(false);
  await sandbox.call('POST', `/control/users/${userId}`, { active: true });
  expect((await call('GET', '/v1/users/me')).status).toBe(200);
});

test('a user becomes an administrator', async () => {
  await sandbox.call('POST', `/control/users/${userId}`, { admin: true });
  const { access } = (await sandbox.call('GET', `/v1/users/${userId}`)).body.data;
  expect(access.every(({ admin }: { admin: boolean }) => admin)).toBe(true);
  expect((await sandbox.call('POST', '/control/users/7', { admin: true })).status).toBe(404);
  const wrong = await sandbox.call('POST', `/control/users/${userId}`, { admin: 'yes' });
  expect(wrong.status).toBe(400);
});

test('a scope taken from an app is taken from its tokens', async () => {
  const tokens = await install();
  const call = createCaller(sandbox.url, { authorization: `Bearer ${tokens.access_token}` });
  expect((await call('GET', '/api/v2/persons')).status).toBe(200);
  await sandbox.call('POST', '/control/apps', { ...APP, scopes: ['leads:full'] });
  const refused = await call('GET', '/api/v2/persons');
  expect([refused.status, refused.body.error]).toEqual([403, 'Scope and URL mismatch']);
  expect((await call('GET', '/v1/leads')).status).toBe(200);
});

test('several apps have their own grants of one user', async () => {
  const second = { ...APP, clientId: 'app-2', clientSecret: 'secret-2' };
  await sandbox.call('POST', '/control/apps', second);
  const tokens = await install();
  const other = createCaller(sandbox.url, basic(second.clientId, second.clientSecret));
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token };
  expect((await other('POST', '/oauth/token', new URLSearchParams(form))).status).toBe(400);
  expect((await refresh(tokens.refresh_token)).status).toBe(200);
});
