import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Caller, createCaller } from '../testing/caller.ts';
import { APP, basic, consent } from '../testing/consent.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { createClock, startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

const clock = createClock();
const redirectUri = APP.redirectUris[0] ?? '';
let sandbox: TestSandbox;
let receiver: Receiver;
let anyone: Caller;
let client: Caller;
let userId: number;

beforeAll(async () => {
  sandbox = await startTestSandbox({ now: clock.now });
  receiver = await startReceiver();
  anyone = createCaller(sandbox.url, {});
  client = createCaller(sandbox.url, basic(APP.clientId, APP.clientSecret));
  await sandbox.call('POST', '/control/apps', APP);
  userId = (await sandbox.call('GET', '/control/state')).body.users[1].id;
});
afterAll(async () => {
  await sandbox.stop();
  await receiver.stop();
});

async function takeCode(): Promise<string> {
  return (await consent(anyone, { userId })).searchParams.get('code') ?? '';
}

function exchange(code: string, more: Record<string, string> = {}) {
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, ...more };
  return client('POST', '/oauth/token', new URLSearchParams(form));
}

function refresh(refreshToken: string) {
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken };
  return client('POST', '/oauth/token', new URLSearchParams(form));
}

function bearer(token: string): Caller {
  return createCaller(sandbox.url, { authorization: `Bearer ${token}` });
}

test('a code works once and for five minutes', async () => {
  const code = await takeCode();
  const granted = (await exchange(code)).body;
  expect(granted).toMatchObject({ token_type: 'Bearer', api_domain: sandbox.url });
  expect(granted.scope.split(',')).toEqual([...APP.scopes, 'base']);
  expect(granted.access_token.length).toBeGreaterThan(200);
  const message = 'Invalid grant: `authorization_code` is invalid';
  expect((await exchange(code)).body).toMatchObject({ error: 'invalid_grant', message });

  const late = await takeCode();
  clock.pass(5 * 60_000);
  expect((await exchange(late)).body.message).toBe(
    'Invalid grant: `authorization_code` has expired',
  );
});

test('denied consent goes back with an error and the state', async () => {
  const callback = await consent(anyone, { userId, decision: 'deny' });
  expect(callback.searchParams.get('error')).toBe('user_denied');
  expect(callback.searchParams.get('state')).toBe('state-1');
  expect(callback.searchParams.has('code')).toBe(false);
});

test('the page refuses an unknown app and a redirect that is not registered', async () => {
  const page = (query: Record<string, string>) =>
    anyone('GET', `/oauth/authorize?${new URLSearchParams(query).toString()}`);
  expect((await page({ client_id: 'nobody', redirect_uri: redirectUri })).status).toBe(400);
  const elsewhere = { client_id: APP.clientId, redirect_uri: 'http://127.0.0.1:9/elsewhere' };
  expect((await page(elsewhere)).status).toBe(400);
});

test.each([
  ['no grant type', {}, 'Missing parameter: `grant_type`'],
  [
    'another grant type',
    { grant_type: 'password' },
    'Unsupported grant type: `grant_type` is invalid',
  ],
  [
    'no redirect URI',
    { grant_type: 'authorization_code' },
    'Invalid request: `redirect_uri` is not a valid URI',
  ],
  [
    'a foreign redirect URI',
    { grant_type: 'authorization_code', redirect_uri: 'https://example.com/' },
    'Invalid request: `redirect_uri` is invalid',
  ],
  [
    'a wrong refresh token',
    { grant_type: 'refresh_token' },
    'Invalid grant: `refresh_token` is invalid',
  ],
])('the token endpoint answers 400 to %s', async (_, form, message) => {
  const { status, body } = await client('POST', '/oauth/token', new URLSearchParams(form));
  expect([status, body.message]).toEqual([400, message]);
});

test('the token endpoint wants the right client and a form', async () => {
  const form = new URLSearchParams({ grant_type: 'refresh_token' });
  const wrong = await anyone('POST', '/oauth/token', form, basic(APP.clientId, 'guess'));
  expect(wrong.body.message).toBe('Invalid client: client is invalid');
  const none = await anyone('POST', '/oauth/token', form);
  expect(none.body.message).toBe('Invalid client: cannot retrieve client credentials');
  const asJson = await client('POST', '/oauth/token', { grant_type: 'refresh_token' });
  expect(asJson.body.message).toContain('application/x-www-form-urlencoded');
});

test('an access token lasts an hour; the refresh token stays the same and lasts sixty days unused', async () => {
  const granted = (await exchange(await takeCode())).body;
  clock.pass(61 * 60_000);
  expect((await bearer(granted.access_token)('GET', '/v1/users/me')).status).toBe(401);
  const again = (await refresh(granted.refresh_token)).body;
  expect(again.refresh_token).toBe(granted.refresh_token);
  expect((await bearer(again.access_token)('GET', '/v1/users/me')).body.data.id).toBe(userId);
  clock.pass(61 * 24 * 60 * 60_000);
  expect((await refresh(granted.refresh_token)).body.error).toBe('invalid_grant');
});

test('a token reaches what its app has scopes for and nothing else', async () => {
  const narrow = { ...APP, clientId: 'narrow', scopes: ['contacts:read'] };
  await sandbox.call('POST', '/control/apps', narrow);
  const callback = await consent(anyone, { userId, clientId: 'narrow' });
  const form = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: redirectUri,
  };
  const authorization = basic('narrow', APP.clientSecret);
  const { access_token: token } = (
    await anyone('POST', '/oauth/token', new URLSearchParams(form), authorization)
  ).body;
  const call = bearer(token);
  expect((await call('GET', '/api/v2/persons')).status).toBe(200);
  expect((await call('GET', '/v1/users/me')).status).toBe(200);
  for (const [method, path] of [
    ['POST', '/api/v2/persons'],
    ['GET', '/v1/leads'],
    ['GET', '/v1/webhooks'],
    ['GET', '/api/v2/itemSearch/field'],
  ] as const) {
    const { status, body } = await call(method, path);
    expect([path, status, body.error]).toEqual([path, 403, 'Scope and URL mismatch']);
  }
});

test('API tokens count in their own header only', async () => {
  expect((await bearer(sandbox.apiToken)('GET', '/v1/users/me')).status).toBe(401);
  expect((await anyone('GET', `/v1/users/me?api_token=${sandbox.apiToken}`)).body).toMatchObject({
    success: false,
    error: 'unauthorized access',
    errorCode: 401,
  });
});

test('revoking the access token leaves the grant, revoking the refresh token ends it', async () => {
  const granted = (await exchange(await takeCode())).body;
  const revoke = (token: string) => client('POST', '/oauth/revoke', new URLSearchParams({ token }));
  expect((await revoke(granted.access_token)).status).toBe(200);
  expect((await bearer(granted.access_token)('GET', '/v1/users/me')).status).toBe(401);
  expect((await refresh(granted.refresh_token)).status).toBe(200);
  expect((await revoke(granted.refresh_token)).status).toBe(200);
  expect((await refresh(granted.refresh_token)).status).toBe(400);
  expect((await revoke('no such token')).status).toBe(200);
});

test('uninstalling ends the tokens, removes the app’s webhooks and tells the callback', async () => {
  const callback = `${receiver.url}/callback`;
  const app = { ...APP, clientId: 'hooked', redirectUris: [callback] };
  await sandbox.call('POST', '/control/apps', app);
  const at = await consent(anyone, { userId, clientId: 'hooked', redirectUri: callback });
  const form = {
    grant_type: 'authorization_code',
    code: at.searchParams.get('code') ?? '',
    redirect_uri: callback,
  };
  const credentials = basic('hooked', APP.clientSecret);
  const granted = (await anyone('POST', '/oauth/token', new URLSearchParams(form), credentials))
    .body;
  const hook = {
    subscription_url: `${receiver.url}/hook`,
    event_action: '*',
    event_object: 'person',
    name: 'App hook',
  };
  const call = bearer(granted.access_token);
  expect((await call('POST', '/v1/webhooks', hook)).body.data.type).toBe('application');
  expect((await call('GET', '/v1/webhooks')).body.data).toHaveLength(1);
  expect((await sandbox.call('GET', '/v1/webhooks')).body.data).toEqual([]);

  const done = await sandbox.call('POST', '/control/uninstall', { clientId: 'hooked', userId });
  expect(done.body).toEqual({ callbackStatus: 200 });
  expect(receiver.received.at(-1)).toMatchObject({
    method: 'DELETE',
    path: '/callback',
    ...credentials,
    body: { client_id: 'hooked', user_id: userId },
  });
  expect((await call('GET', '/api/v2/persons')).status).toBe(401);
  expect((await sandbox.call('GET', '/control/state')).body.counts.webhooks).toBe(0);
});
