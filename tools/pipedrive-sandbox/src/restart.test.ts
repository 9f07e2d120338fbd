import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createCaller } from './testing/caller.ts';
import { APP, basic, consent } from './testing/consent.ts';
import { eventually } from './testing/eventually.ts';
import { startReceiver } from './testing/receiver.ts';
import { startTestSandbox } from './testing/sandbox.ts';

const folder = mkdtempSync(join(tmpdir(), 'pipedrive-sandbox-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a data file keeps tokens, records, fields, apps, grants, webhooks and the day’s spending', async () => {
  const dataFile = join(folder, 'kept.sqlite');
  const first = await startTestSandbox({ dataFile });
  await first.call('POST', '/control/generate', {
    seed: 1,
    persons: 20,
    organizations: 5,
    leads: 3,
  });
  await first.call('POST', '/control/apps', APP);
  const { users } = (await first.call('GET', '/control/state')).body;
  const anyone = createCaller(first.url, basic(APP.clientId, APP.clientSecret));
  const code = (await consent(anyone, { userId: users[0].id })).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: APP.redirectUris[0] ?? '' };
  const granted = (await anyone('POST', '/oauth/token', new URLSearchParams(form))).body;
  const persons = (await first.call('GET', '/api/v2/persons')).body;
  const state = (await first.call('GET', '/control/state')).body;
  const spent = (await first.call('GET', '/control/ledger')).body.tokens;
  await first.stop();

  const second = await startTestSandbox({ dataFile });
  expect(second.apiToken).toBe(first.apiToken);
  const now = expect.any(String);
  expect((await second.call('GET', '/control/state')).body).toEqual({ ...state, now });
  expect((await second.call('GET', '/control/ledger')).body.tokens).toBe(spent);
  expect((await second.call('GET', '/api/v2/persons')).body).toEqual(persons);
  const bearer = createCaller(second.url, { authorization: `Bearer ${granted.access_token}` });
  expect((await bearer('GET', '/v1/users/me')).body.data.id).toBe(users[0].id);
  await second.stop();
});

test('one seed gives one set of API tokens', async () => {
  const [one, two] = [await startTestSandbox({ seed: 7 }), await startTestSandbox({ seed: 7 })];
  expect(one.apiToken).toBe(two.apiToken);
  await one.stop();
  await two.stop();
});

async function startProcess(
  dataFile: string,
): Promise<{ child: ChildProcess; url: string; output: () => string }> {
  const main = join(import.meta.dirname, 'main.ts');
  const env = { ...process.env, PORT: '0', SANDBOX_DATA_FILE: dataFile };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
  await eventually(() => expect(text).toContain('\n'), 10_000);
  return { child, url: JSON.parse(text.split('\n')[0] ?? '').url, output: () => text };
}

test('a process killed while it delivers makes the delivery again after its next start', async () => {
  const dataFile = join(folder, 'killed.sqlite');
  const receiver = await startReceiver();
  const first = await startProcess(dataFile);
  const { users } = (await createCaller(first.url, {})('GET', '/control/state')).body;
  const call = createCaller(first.url, { 'x-api-token': users[0].apiToken });
  await call('POST', '/v1/webhooks', {
    subscription_url: `${receiver.url}/hook`,
    event_action: '*',
    event_object: '*',
    name: 'Survivor',
  });
  receiver.answers.push(0);
  await call('POST', '/api/v2/persons', { name: 'Survivor' });
  await eventually(() => expect(receiver.received).toHaveLength(1));
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');

  const second = await startProcess(dataFile);
  await eventually(() => expect(receiver.received).toHaveLength(2));
  expect(receiver.received.map(({ body }) => [body.meta.attempt, body.data.name])).toEqual([
    [1, 'Survivor'],
    [1, 'Survivor'],
  ]);
  expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
  second.child.kill('SIGTERM');
  const [exitCode] = await once(second.child, 'exit');
  expect(exitCode).toBe(0);
  const lines = first.output() + second.output();
  expect(lines).not.toContain(users[0].apiToken);
  expect(lines).not.toContain('ExperimentalWarning');
  await receiver.stop();
});
