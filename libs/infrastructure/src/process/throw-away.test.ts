import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimFolder, claimOf, FolderInUse } from './claim.ts';
import { beginningOf } from './table.ts';
import { createThrowAway, sweepThrowAways } from './throw-away.ts';

let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'manifold-test-'));
});
afterAll(() => rm(parent, { recursive: true }));

test("a living owner's folder survives the sweep", async () => {
  const folder = await createThrowAway('kept', parent);
  await sweepThrowAways(parent);
  expect(existsSync(folder.path)).toBe(true);
  await folder.remove();
  expect(existsSync(folder.path)).toBe(false);
});

test.each([
  ['whose number is free again', { pid: 2 ** 22 + 1, since: '1' }],
  ['whose number another process has now', { pid: process.pid, since: '1' }],
])('the folder of an owner %s is swept', async (_, owner) => {
  const folder = await createThrowAway('lost', parent);
  await claim(folder.path, owner);
  await sweepThrowAways(parent);
  expect(existsSync(folder.path)).toBe(false);
});

test('a folder claimed on another host is left alone, since its owner cannot be seen', async () => {
  const folder = await createThrowAway('far', parent);
  await claim(folder.path, { pid: 1, since: '1', host: 'elsewhere' });
  await sweepThrowAways(parent);
  expect(existsSync(folder.path)).toBe(true);
});

test('a folder has one owner at a time', async () => {
  const folder = await mkdtemp(join(parent, 'one-'));
  const first = await claimFolder(folder);
  await expect(claimFolder(folder)).rejects.toThrow(FolderInUse);
  await expect(claimFolder(folder)).rejects.toThrow(`in use by process ${process.pid}`);

  await first.release();
  expect(await claimOf(folder)).toBe('absent');
  await expect(claimFolder(folder)).resolves.toBeDefined();
});

test('a process is told from another by when it began', () => {
  expect(beginningOf(process.pid)).toBe(beginningOf(process.pid));
  expect(beginningOf(process.pid)).not.toBe(beginningOf(process.ppid));
  expect(beginningOf(2 ** 22 + 1)).toBeUndefined();
});

const claim = (folder: string, owner: { pid: number; since: string; host?: string }) =>
  writeFile(join(folder, 'claimed-by.json'), JSON.stringify({ host: hostname(), ...owner }));
