import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { supervise } from './supervise.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifold-supervise-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a process that dies is started again, and both its death and its new pid are told', async () => {
  const { pids, deaths, process: supervised } = await run('setInterval(() => {}, 1000);');
  await eventually(() => expect(pids).toHaveLength(1));
  process.kill(pids[0] ?? 0, 'SIGKILL');
  await eventually(() => expect(pids).toHaveLength(2));
  expect(deaths).toEqual(['signal SIGKILL after 250']);
  expect(supervised.pid()).toBe(pids[1]);
  await supervised.stop();
});

test('pauses between starts grow while a process keeps failing', async () => {
  const { deaths, process: supervised } = await run('process.exit(3);');
  await eventually(() => expect(deaths.length).toBeGreaterThanOrEqual(3), { timeoutMs: 15_000 });
  expect(deaths.slice(0, 3)).toEqual([
    'exit code 3 after 250',
    'exit code 3 after 500',
    'exit code 3 after 1000',
  ]);
  await supervised.stop();
});

test('stopping ends the process for good and its output is in the log', async () => {
  const {
    pids,
    deaths,
    file,
    process: supervised,
  } = await run("console.log('hello'); setInterval(() => {}, 1000);");
  await eventually(async () => expect(await readFile(file, 'utf8')).toContain('hello'));
  await supervised.stop();
  expect(() => process.kill(pids[0] ?? 0, 0)).toThrow('ESRCH');
  expect(deaths).toEqual([]);
});

test('a process ends when its supervisor is killed', async () => {
  const script = join(folder, 'parent.ts');
  await writeFile(join(folder, 'child.ts'), 'setInterval(() => {}, 1000);');
  await writeFile(
    script,
    `import { supervise } from ${JSON.stringify(join(import.meta.dirname, 'supervise.ts'))};
     supervise({ name: 'child', script: ${JSON.stringify(join(folder, 'child.ts'))}, env: process.env, cwd: '/',
       logFile: ${JSON.stringify(join(folder, 'orphan.log'))}, onStarted: (pid) => console.log(pid), onDied: () => {} });`,
  );
  const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk] = await once(parent.stdout, 'data');
  const pid = Number(String(chunk));
  parent.kill('SIGKILL');
  await eventually(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'));
});

let count = 0;
async function run(code: string) {
  count += 1;
  const script = join(folder, `script-${count}.ts`);
  await writeFile(script, code);
  const pids: number[] = [];
  const deaths: string[] = [];
  const file = join(folder, `log-${count}.log`);
  const supervised = supervise({
    name: 'test',
    script,
    env: process.env,
    cwd: folder,
    logFile: file,
    onStarted: (pid) => pids.push(pid),
    onDied: (how, pauseMs) => deaths.push(`${how} after ${pauseMs}`),
  });
  return { pids, deaths, file, process: supervised };
}
