import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findNatsServer, type NatsBinary, NatsServerMissing } from './binary.ts';
import { natsPlaces } from './places.ts';

const DEBIAN_TOOLS = ['/usr/bin/apt-get', '/usr/bin/dpkg-deb', '/usr/bin/flock'];
/** Has Debian's own tools; its nats-server would be in /usr/sbin. */
const DEBIAN_PATH = '/usr/bin:/bin';
const hasApt =
  DEBIAN_TOOLS.every((tool) => existsSync(tool)) && !existsSync('/usr/bin/nats-server');

let root: string;
/** A real server, 2.10 or newer. */
let real: NatsBinary;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'manifold-test-binary-'));
  real = await findNatsServer();
}, 200_000);
afterAll(() => rm(root, { recursive: true }));

test('NATS_SERVER_BIN decides, whatever PATH has', async () => {
  const env = { NATS_SERVER_BIN: real.path, PATH: await folderWithOld() };
  expect(await findNatsServer({ env, places: nowhere() })).toEqual({
    path: real.path,
    version: real.version,
    source: 'NATS_SERVER_BIN',
  });
});

test('a NATS_SERVER_BIN that is too old or no server is refused by name, not replaced', async () => {
  const old = join(await folderWithOld(), 'nats-server');
  const env = (path: string) => ({ NATS_SERVER_BIN: path, PATH: folderOf(real.path) });
  await expect(findNatsServer({ env: env(old) })).rejects.toThrow(
    `${old} is 2.9.10; 2.10 or newer`,
  );
  await expect(findNatsServer({ env: env('/none') })).rejects.toThrow(
    'NATS_SERVER_BIN=/none is no',
  );
});

test('a new enough server on PATH is used; an old one before it is passed over', async () => {
  const modern = await folder();
  await symlink(real.path, join(modern, 'nats-server'));
  const env = { PATH: `${await folderWithOld()}:${modern}` };
  expect(await findNatsServer({ env, places: nowhere() })).toEqual({
    path: join(modern, 'nats-server'),
    version: real.version,
    source: 'PATH',
  });
});

test("Debian's folder for servers is searched though PATH does not name it", async () => {
  const sbin = await folder();
  await symlink(real.path, join(sbin, 'nats-server'));
  const found = await findNatsServer({
    env: { PATH: '' },
    places: { ...nowhere(), systemDirs: [sbin] },
  });
  expect(found.path).toBe(join(sbin, 'nats-server'));
});

test('without apt and with only an old server the error says what was seen and what to install', async () => {
  const old = await folderWithOld();
  const search = findNatsServer({ env: { PATH: old }, places: nowhere() });
  await expect(search).rejects.toThrow(NatsServerMissing);
  await expect(search).rejects.toThrow(`${old}/nats-server is 2.9.10`);
  await expect(search).rejects.toThrow('this machine has no apt-get');
  await expect(search).rejects.toThrow(/Install one from .* NATS_SERVER_BIN .* NATS_URL/s);
});

test.runIf(hasApt)(
  'a machine whose sources name no Debian archive gets the same error',
  async () => {
    const env = { PATH: DEBIAN_PATH };
    const places = { ...nowhere(), aptDir: await folder() };
    await expect(findNatsServer({ env, places })).rejects.toThrow(
      /names no Debian archive.*Install one/s,
    );
  },
);

test.runIf(hasApt)(
  'an archive that does not answer is an error with what apt said, and leaves no crumbs',
  async () => {
    const env = { PATH: DEBIAN_PATH };
    const places = { ...nowhere(), aptDir: await folder() };
    await writeFile(join(places.aptDir, 'sources.list'), 'deb file:/none bookworm main\n');
    await expect(findNatsServer({ env, places })).rejects.toThrow(/apt-get failed: .*\/none/s);
    expect(await readdir(places.cacheDir)).toEqual(['nats-server', 'nats-server.lock']);
  },
);

test.runIf(hasApt)(
  "with nothing on PATH the server comes from Debian's packages, once for all who ask at once",
  { timeout: 200_000 },
  async () => {
    const lists = await stat('/var/lib/apt/lists');
    const places = {
      ...nowhere(),
      aptDir: natsPlaces().aptDir,
      cacheDir: join(await folder(), 'not there yet'),
    };
    const lines: string[] = [];
    const search = { env: { PATH: DEBIAN_PATH }, places, log: (line: string) => lines.push(line) };

    const found = await Promise.all([findNatsServer(search), findNatsServer(search)]);

    expect(found[0]).toMatchObject({
      source: 'debian',
      version: expect.stringMatching(/^2\.10\./),
    });
    expect(found[1]).toEqual(found[0]);
    expect(lines).toHaveLength(1);
    expect(await readdir(places.cacheDir)).toEqual(['nats-server', 'nats-server.lock']);
    expect((await stat('/var/lib/apt/lists')).mtimeMs).toBe(lists.mtimeMs);
    expect(await findNatsServer({ ...search, env: { PATH: '' } })).toEqual(found[0]);
  },
);

const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/'));

const folder = () => mkdtemp(join(root, 'folder-'));

const nowhere = () => ({
  systemDirs: [],
  cacheDir: join(root, `cache-${Math.random()}`),
  aptDir: '/none',
});

async function folderWithOld(): Promise<string> {
  const path = await folder();
  await writeFile(join(path, 'nats-server'), '#!/bin/sh\necho "nats-server: v2.9.10"\n');
  await chmod(join(path, 'nats-server'), 0o755);
  return path;
}
