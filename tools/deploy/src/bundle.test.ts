import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from './bundle.ts';

const outDir = await mkdtemp(join(tmpdir(), 'manifold-bundle-'));
const script = 'tools/deploy/src/databases.ts';

beforeAll(() => bundle({ name: 'databases', script, outDir }));
afterAll(() => rm(outDir, { recursive: true }));

test('a bundle runs with the Node it needs', () => {
  expect(run()).toEqual({ status: 1, said: 'POSTGRES_URL is missing\n' });
});

test('with an older Node it says in one line what it needs', async () => {
  expect(run('20.20.2')).toEqual({
    status: 1,
    said: 'manifold databases needs Node 24 or newer; this is Node 20.20.2\n',
  });
  // what an older Node reads must be a few lines that it understands
  const lines = (await readFile(join(outDir, 'main.js'), 'utf8')).trim().split('\n');
  expect(lines).toHaveLength(7);
});

/** Runs the bundle, as if this were another Node. */
function run(version: string = process.versions.node) {
  const disguise = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`;
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(disguise)}`, 'main.js'],
    { cwd: outDir, env: {}, encoding: 'utf8' },
  );
  return { status, said: stderr };
}
