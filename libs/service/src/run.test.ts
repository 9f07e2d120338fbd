import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'manifold-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a stopped service releases what it acquired, newest first, and ends well', async () => {
  const ended = await run(
    `onStop(() => console.log('released first'));
     onStop(async () => { console.log('released second'); });
     setInterval(() => undefined, 1000);`,
    'SIGTERM',
  );

  expect(ended.code).toBe(0);
  expect(ended.output.indexOf('released second')).toBeGreaterThan(0);
  expect(ended.output.indexOf('released first')).toBeGreaterThan(
    ended.output.indexOf('released second'),
  );
});

test('a service that cannot start says why, releases what it had, and ends with 1', async () => {
  const ended = await run(
    `onStop(() => console.log('released'));
     throw new Error('the database is not there');`,
  );

  expect(ended.code).toBe(1);
  expect(ended.output).toContain('the database is not there');
  expect(ended.output).toContain('released');
});

test('a service that is still waiting to start stops when it is told to', async () => {
  const ended = await run(
    `onStop(() => console.log('released'));
     setInterval(() => undefined, 1000);
     console.log('"ready" to be stopped');
     await new Promise(() => undefined);`,
    'SIGTERM',
  );

  expect(ended.code).toBe(0);
  expect(ended.output).toContain('released');
});

test('an error nobody caught ends the service, and is logged without what it quotes of the data', async () => {
  const ended = await run(
    `const quoting = Object.assign(new Error('swordfish'), { severity: 'ERROR', code: '23505', detail: 'swordfish' });
     setInterval(() => undefined, 1000);
     setTimeout(() => void Promise.reject(quoting), 50);`,
  );

  expect(ended.code).toBe(1);
  expect(ended.output).toContain('23505');
  expect(ended.output).not.toContain('swordfish');
});

test('secrets are cut out of the log wherever they stand', async () => {
  const ended = await run(
    `log.info({ token: 'swordfish', user: { email: 'swordfish' }, a: { b: { password: 'swordfish' } } });
     throw new Error('done');`,
  );

  expect(ended.output).toContain('[redacted]');
  expect(ended.output).not.toContain('swordfish');
});

/** Runs a service of these statements in a process of its own; sends the signal once it is ready. */
async function run(
  statements: string,
  signal?: 'SIGTERM',
): Promise<{ code: number | null; output: string }> {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.ts`);
  const library = new URL('./run.ts', import.meta.url).href;
  writeFileSync(
    file,
    `import { runService } from '${library}';
     await runService('test', async ({ log, onStop }) => { ${statements} });`,
  );
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let signalled = false;
  const gather = (chunk: Buffer) => {
    output += chunk.toString();
    if (!signal || signalled || !output.includes('"ready"')) return;
    signalled = true;
    child.kill(signal);
  };
  child.stdout.on('data', gather);
  child.stderr.on('data', gather);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
