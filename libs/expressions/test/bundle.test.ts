import { spawnSync } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../../../tools/deploy/src/bundle.ts';

const outDir = await mkdtemp(join(tmpdir(), 'manifold-expressions-'));
const script = 'libs/expressions/test/bundled.ts';

beforeAll(() => bundle({ name: 'expressions', script, outDir }));
afterAll(() => rm(outDir, { recursive: true }));

test('SL-45 a bundled service evaluates in a thread, with Node and nothing else', async () => {
  await access(join(outDir, 'libs/expressions/src/pool/worker.js'));
  const { stdout, stderr } = spawnSync(process.execPath, ['main.js'], {
    cwd: outDir,
    env: {},
    encoding: 'utf8',
  });
  expect({ stdout, stderr }).toEqual({ stdout: '[[{"outcome":"value","value":2}]]', stderr: '' });
});
