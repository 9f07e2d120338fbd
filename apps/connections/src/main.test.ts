import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createTestDatabase, eventually, startTestNats } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { findPort } from '../test/installation.ts';
import { migrations } from './migrations/index.ts';
import type { Tables } from './store.ts';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const main = new URL('./main.ts', import.meta.url).pathname;

afterAll(async () => {
  await nats.stop();
  await database.drop();
});

const run = (env: Record<string, string>) =>
  spawn(process.execPath, [main], { env: { ...process.env, ...env }, stdio: 'pipe' });

test('the process starts from its environment, is ready, and stops when told to', async () => {
  const port = await findPort();
  const service = run({
    DATABASE_URL: database.urls.appUrl,
    DATABASE_OWNER_URL: database.urls.ownerUrl,
    NATS_URL: nats.url,
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    MASTER_KEY: Buffer.alloc(32, 3).toString('base64'),
    IDENTITY_PUBLIC_KEY: PUBLIC_KEY,
  });
  const ended = once(service, 'exit');
  const ready = () => fetch(`http://127.0.0.1:${port}/readyz`);
  await eventually(async () => expect((await ready()).status).toBe(200), { timeoutMs: 15_000 });
  service.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

test('a process without a master key ends at once and names what is missing', async () => {
  const service = run({ NODE_ENV: 'production', MASTER_KEY: '' });
  const said: string[] = [];
  service.stdout.on('data', (chunk) => said.push(String(chunk)));
  const [code] = await once(service, 'close');
  expect(code).toBe(1);
  expect(said.join('')).toContain('MASTER_KEY: must be 32 bytes in base64');
});

const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----`;
