import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCaller } from './testing/caller.ts';
import { APP, basic, consent } from './testing/consent.ts';
import { eventually } from './testing/eventually.ts';

async function startProcess(variables: Record<string, string>) {
  const env = { ...process.env, PORT: '0', ...variables };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { env });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
  return { child, output: () => text };
}

test('time factor and public address come from the environment', async () => {
  const { child, output } = await startProcess({
    SANDBOX_TIME_FACTOR: '60',
    SANDBOX_PUBLIC_URL: 'https://crm.example/',
  });
  await eventually(() => expect(output()).toContain('\n'), 10_000);
  const url: string = JSON.parse(output()).url;
  const call = createCaller(url, basic(APP.clientId, APP.clientSecret));
  const { timeFactor, users } = (await call('GET', '/control/state')).body;
  expect(timeFactor).toBe(60);

  await call('POST', '/control/apps', APP);
  const code = (await consent(call, { userId: users[0].id })).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: APP.redirectUris[0] ?? '' };
  const tokens = (await call('POST', '/oauth/token', new URLSearchParams(form))).body;
  expect(tokens.api_domain).toBe('https://crm.example');
  child.kill('SIGTERM');
  await once(child, 'exit');
});

test.each([
  ['SANDBOX_TIME_FACTOR', '0'],
  ['SANDBOX_TIME_FACTOR', 'fast'],
  ['SANDBOX_PUBLIC_URL', 'crm'],
  ['SANDBOX_LIMITS', 'huge'],
])('%s=%s is refused at the start', async (name, value) => {
  const { child, output } = await startProcess({ [name]: value });
  const [exitCode] = await once(child, 'exit');
  expect(exitCode).toBe(1);
  expect(output()).toContain(`${name} must be`);
});
