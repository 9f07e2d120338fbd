import { afterAll, beforeAll, expect, test } from 'vitest';
import { APP, basic, consent } from '../testing/consent.ts';
import { createCaller } from '../testing/caller.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { eventually } from '../testing/eventually.ts';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
let receiver: Receiver;
beforeAll(async () => {
  [sandbox, receiver] = await Promise.all([
    startTestSandbox({ limits: { plan: 'lite' }, timeFactor: 10 }),
    startReceiver(),
  ]);
});
afterAll(() => Promise.all([sandbox.stop(), receiver.stop()]));

const look = async (path: string) => {
  const response = await fetch(`${sandbox.url}${path}`);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

test('the front page shows the clock, records, requests, webhooks, users, apps and what was spent', async () => {
  await sandbox.call('POST', '/api/v2/persons', { name: 'Ada' });
  await sandbox.call('GET', '/v1/leads/nope');
  const { status, text } = await look('/');
  expect(status).toBe(200);
  for (const part of [
    'Sandbox Inc',
    '10 times faster',
    'spent today: 7 of 30,000',
    '<a href="/persons">persons</a></td><td class="number">1<',
    '/api/v2/persons',
    '<strong class="bad">404</strong>',
    'Ada Admin',
    sandbox.apiToken,
    'No webhooks.',
    'No apps.',
    'No faults.',
  ])
    expect(text).toContain(part);
});

test('the front page shows no secret of an app, a grant or a webhook', async () => {
  await sandbox.call('POST', '/control/apps', APP);
  const app = createCaller(sandbox.url, basic(APP.clientId, APP.clientSecret));
  const { users } = (await sandbox.call('GET', '/control/state')).body;
  const code = (await consent(app, { userId: users[1].id })).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: APP.redirectUris[0] ?? '' };
  const tokens = (await app('POST', '/oauth/token', new URLSearchParams(form))).body;
  const hook = {
    subscription_url: `${receiver.url}/hooks/unguessable`,
    event_action: '*',
    event_object: '*',
    name: 'Secret name',
    http_auth_user: 'hook-user',
    http_auth_password: 'hook-password',
  };
  await sandbox.call('POST', '/v1/webhooks', hook);
  await sandbox.call('GET', '/v1/users/me?api_token=leaked');
  const { text } = await look('/');
  expect(text).toContain(new URL(receiver.url).host);
  expect(text).toContain('Ben Sales');
  for (const secret of [
    APP.clientSecret,
    tokens.access_token,
    tokens.refresh_token,
    code,
    'unguessable',
    'hook-user',
    'hook-password',
    'leaked',
  ])
    expect(text).not.toContain(secret);
});

/** The rows of the front page's tables, cell by cell, without their marks. */
const rowsOf = (text: string): string[][] =>
  (text.match(/<tr>.*?<\/tr>/gs) ?? []).map((row) =>
    (row.match(/<td.*?<\/td>/gs) ?? []).map((cell) => cell.replaceAll(/<[^>]*>/g, '').trim()),
  );

test('each request has its own price and status, each webhook that was sent its event and how it ended', async () => {
  const hook = {
    subscription_url: `${receiver.url}/hooks/shown`,
    ...{ event_action: 'change', event_object: 'organization', name: 'Shown' },
  };
  const { id: hookId } = (await sandbox.call('POST', '/v1/webhooks', hook)).body.data;
  const made = (await sandbox.call('POST', '/api/v2/organizations', { name: 'Acme' })).body.data;
  const path = `/api/v2/organizations/${made.id}`;
  await sandbox.call('PATCH', path, { name: 'Acme Ltd' });
  await sandbox.call('GET', path);
  await sandbox.call('GET', '/api/v2/organizations?limit=5');
  let rows: string[][] = [];
  await eventually(async () => {
    rows = rowsOf((await look('/')).text);
    expect(rows.filter((cells) => cells.includes('delivered'))).not.toEqual([]);
  });
  const requestsOf = (method: string, of: string) =>
    rows.filter((cells) => cells[1] === method && cells[2] === of).map((cells) => cells.slice(4));
  expect(requestsOf('PATCH', path)).toEqual([['5', '200']]);
  expect(requestsOf('GET', path)).toEqual([['1', '200']]);
  expect(requestsOf('GET', '/api/v2/organizations')).toEqual([['10', '200']]);
  const sent = rows.filter((cells) => cells[1] === String(hookId) && cells.length === 7);
  expect(sent.map((cells) => cells.slice(2))).toEqual([
    ['change.organization', String(made.id), 'delivered', '1', '200'],
  ]);
});

test('a page runs its own script only', async () => {
  const { headers } = await look('/');
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; .*script-src 'sha256-/,
  );
});

test('what programs send stays text on the front page', async () => {
  await fetch(`${sandbox.url}/api/v2/%3Cscript%3Ealert(1)`);
  await sandbox.call('POST', '/control/apps', { ...APP, clientId: 'x', name: '<img src=x>' });
  const { text } = await look('/');
  expect(text).not.toContain('<img');
  expect(text.match(/<script>/g)).toHaveLength(1);
});

test('a list shows the newest fifty with links to their pages', async () => {
  await sandbox.call('PUT', '/control/limits', 'off');
  for (let at = 0; at < 55; at += 1)
    await sandbox.call('POST', '/api/v2/organizations', { name: `Org <${at}>` });
  const { text } = await look('/organizations');
  expect(text.match(/href="\/organization\/\d+"/g)).toHaveLength(50);
  expect(text).toContain('Org &#60;54&#62;');
  expect(text).not.toContain('Org &#60;4&#62;');
  const [, path] = /href="(\/organization\/\d+)"/.exec(text) ?? [];
  expect((await look(path ?? '')).status).toBe(200);
});

test.each(['/persons', '/deals', '/leads', '/activities', '/products', '/notes'])(
  '%s is a list, be it empty',
  async (path) => {
    expect((await look(path)).status).toBe(200);
  },
);
