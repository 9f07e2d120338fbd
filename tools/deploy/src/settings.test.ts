import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessOf } from '@manifold/messaging';
import { afterAll, expect, test } from 'vitest';
import { writeSettings } from './settings-folder.ts';

const place = await mkdtemp(join(tmpdir(), 'settings-'));
const folder = join(place, 'compose');
const options = { publicUrl: 'https://hooks.example' };
afterAll(() => rm(place, { recursive: true }));

const readAll = async (): Promise<Record<string, string>> => {
  const names = await readdir(folder);
  const texts = names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')]);
  return Object.fromEntries(await Promise.all(texts));
};

test('settings are written once; again only the broker gets the permissions of this version', async () => {
  expect(await writeSettings(folder, options)).toBe('written');
  const first = await readAll();
  const broker = JSON.parse(first['nats.conf'] ?? '');
  const gateway = broker.authorization.users.find(
    ({ user }: { user: string }) => user === 'gateway',
  );
  // as an earlier version, with fewer permissions, left it
  gateway.permissions = { publish: [], subscribe: [] };
  await writeFile(join(folder, 'nats.conf'), JSON.stringify(broker));

  expect(await writeSettings(folder, { publicUrl: 'https://other.example' })).toBe('renewed');
  const second = await readAll();
  expect(second).toEqual(first);
  expect(second['nats.conf']).toContain(accessOf('gateway').subscribe[0]);
  expect((await stat(join(folder, 'nats.conf'))).mode & 0o777).toBe(0o644);
  expect((await stat(join(folder, 'connections.env'))).mode & 0o777).toBe(0o600);
});

test('settings that name no password of a participant are left as they are', async () => {
  const file = join(folder, 'nats.conf');
  const text = JSON.stringify({ authorization: { users: [{ user: 'audit', password: 'p' }] } });
  await writeFile(file, text);
  await expect(writeSettings(folder, options)).rejects.toThrow('no password of');
  expect(await readFile(file, 'utf8')).toBe(text);
});
