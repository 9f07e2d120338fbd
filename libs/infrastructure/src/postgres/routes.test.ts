import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from './ask.ts';
import { findPostgres, postgresPlaces } from './binaries.ts';
import { createDatabase } from './database.ts';
import { startPostgres } from './start.ts';

const ownSystem = existsSync('/usr/lib/postgresql');
/** Our own environment must not choose the route. */
const env = {};

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'manifold-test-postgres-'));
  await chmod(root, 0o755);
});
afterAll(() => rm(root, { recursive: true }));

test('DATABASE_URL is used as it is, and still runs after stop', async () => {
  const existing = await startPostgres({ durable: false, env });
  const given = await startPostgres({ durable: true, env: { DATABASE_URL: existing.url } });
  expect(given).toMatchObject({
    source: 'DATABASE_URL',
    url: existing.url,
    port: existing.port,
    pid: undefined,
  });
  await given.stop();
  expect(await ask(existing.url, 'select 1 as one')).toEqual([1]);
  await existing.stop();
});

test('a DATABASE_URL that cannot be used is refused without showing its password', async () => {
  const existing = await startPostgres({ durable: false, env });
  await ask(existing.url, "create role weak login password 'hidden-word'");
  const weak = existing.url.replace('postgres@', 'weak:hidden-word@');
  const refusal = startPostgres({ durable: true, env: { DATABASE_URL: weak } });
  await expect(refusal).rejects.toThrow('its user may not create databases and roles');
  await expect(refusal).rejects.not.toThrow('hidden-word');
  await existing.stop();
  await expect(startPostgres({ durable: true, env: { DATABASE_URL: weak } })).rejects.toThrow(
    'ECONNREFUSED',
  );
});

test.each(['postgres://user:hidden-word@host:port/x', 'postgres:///x?host=/run', 'x'])(
  'a DATABASE_URL that names no host is refused without repeating it: %s',
  async (DATABASE_URL) => {
    const refusal = startPostgres({ durable: true, env: { DATABASE_URL } });
    await expect(refusal).rejects.toThrow('DATABASE_URL is not a URL such as');
    await expect(refusal).rejects.not.toThrow('hidden-word');
  },
);

test('PG_BIN_DIR decides; a folder without PostgreSQL is refused by name', async () => {
  const { binDir } = await findPostgres(env, postgresPlaces());
  const server = await startPostgres({ durable: false, env: { PG_BIN_DIR: binDir } });
  expect(server.source).toBe('PG_BIN_DIR');
  await server.stop();
  await expect(startPostgres({ durable: false, env: { PG_BIN_DIR: root } })).rejects.toThrow(
    `PG_BIN_DIR=${root} holds no postgres`,
  );
});

test("without the embedded package the system's newest is used, when it is not too old", async () => {
  const { binDir, major } = await findPostgres(env, postgresPlaces());
  const system = await folder();
  await mkdir(join(system, String(major)));
  await symlink(binDir, join(system, `${major}/bin`));
  await fakePostgres(join(system, '99/bin'), 14);
  const server = await startPostgres({
    durable: false,
    env,
    places: { ...postgresPlaces(), embedded: undefined, system },
  });
  expect(server).toMatchObject({ source: 'system', major });
  await server.stop();
});

test.runIf(ownSystem)("this machine's own PostgreSQL serves a service's database too", async () => {
  const server = await startPostgres({
    durable: false,
    env,
    places: { ...postgresPlaces(), embedded: undefined },
  });
  expect(server.source).toBe('system');
  const { appUrl } = await createDatabase(server, {
    name: 'one',
    ownerRole: 'one_owner',
    appRole: 'one_app',
  });
  expect(await ask(appUrl, 'select current_user')).toEqual(['one_app']);
  await server.stop();
});

test('with no PostgreSQL anywhere the error says what to install or set', async () => {
  const places = { ...postgresPlaces(), embedded: undefined, system: root };
  await expect(startPostgres({ durable: false, env, places })).rejects.toThrow(
    /Install PostgreSQL 15 .* PG_BIN_DIR .* DATABASE_URL/,
  );
});

const folder = async () => {
  const path = await mkdtemp(join(root, 'folder-'));
  await chmod(path, 0o755);
  return path;
};

async function fakePostgres(binDir: string, major: number): Promise<void> {
  await mkdir(binDir, { recursive: true });
  for (const name of ['postgres', 'initdb']) {
    await writeFile(join(binDir, name), `#!/bin/sh\necho "${name} (PostgreSQL) ${major}.1"\n`, {
      mode: 0o755,
    });
  }
}
