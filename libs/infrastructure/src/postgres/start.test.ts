import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FolderInUse } from '../process/claim.ts';
import { findFreePort, PortTaken } from '../process/port.ts';
import { isReachable, serverAccount } from './account.ts';
import { ask } from './ask.ts';
import { findPostgres, postgresPlaces } from './binaries.ts';
import { type PostgresOptions, startPostgres } from './start.ts';

const isRoot = process.getuid?.() === 0;
/** Our own environment must not choose the route. */
const env = {};

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'manifold-test-postgres-'));
  await chmod(root, 0o755);
});
afterAll(() => rm(root, { recursive: true }));

test('a throw-away cluster leaves nothing behind', async () => {
  const server = await startPostgres({ durable: false, env });
  const [folder] = await ask(server.url, 'show data_directory');
  expect(await ask(server.url, 'show fsync')).toEqual(['off']);

  await server.stop();
  expect(existsSync(String(folder))).toBe(false);
  await expect(ask(server.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
});

test('a kept cluster has its data, its password and its durability at the second start', async () => {
  const options: PostgresOptions = { dataDir: await folder(), durable: true, env };
  const first = await startPostgres(options);
  await ask(first.url, 'create table kept as select 42 as answer');
  await first.stop();

  const second = await startPostgres(options);
  expect(await ask(second.url, 'select answer from kept')).toEqual([42]);
  expect(new URL(second.url).password).toBe(new URL(first.url).password);
  expect(
    await ask(
      second.url,
      "select current_setting('fsync') || current_setting('synchronous_commit')",
    ),
  ).toEqual(['onon']);
  expect(
    await ask(
      second.url,
      "select current_setting('server_encoding') || ' ' || datcollate from pg_database where datname = 'postgres'",
    ),
  ).toEqual(['UTF8 C']);
  await second.stop();
});

test('a kept cluster lets nobody in without the password, which only its owner can read', async () => {
  const dataDir = await folder();
  const server = await startPostgres({ dataDir, durable: true, env });
  const open = new URL(server.url);
  open.password = '';
  await expect(ask(open.href, 'select 1')).rejects.toThrow(/password/i);
  open.password = 'postgres';
  await expect(ask(open.href, 'select 1')).rejects.toThrow('password authentication failed');
  expect((await stat(join(dataDir, 'superuser-password'))).mode & 0o777).toBe(0o600);
  await server.stop();
});

test('the server listens on this machine only', async () => {
  const server = await startPostgres({ durable: false, env });
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal);
  expect(await ask(server.url, 'show listen_addresses')).toEqual(['127.0.0.1']);
  if (outside !== undefined) {
    await expect(ask(server.url.replace('127.0.0.1', outside.address), 'select 1')).rejects.toThrow(
      'ECONNREFUSED',
    );
  }
  await server.stop();
});

test('statements and values stay out of the server log', async () => {
  const lines: string[] = [];
  const server = await startPostgres({ durable: false, env, log: (line) => lines.push(line) });
  await ask(
    server.url,
    "create table person (email text unique); insert into person values ('ann@example.com')",
  );
  await expect(ask(server.url, "insert into person values ('ann@example.com')")).rejects.toThrow(
    'duplicate',
  );
  await server.stop();
  expect(lines.join('\n')).toContain('duplicate key value');
  expect(lines.join('\n')).not.toContain('ann@example.com');
});

test('a taken port is refused by number and variable, and the folder is free again', async () => {
  const port = await findFreePort();
  const neighbour = createServer().listen(port, '127.0.0.1');
  await once(neighbour, 'listening');
  const options: PostgresOptions = {
    dataDir: await folder(),
    durable: true,
    port,
    portVariable: 'DB_PORT',
    env,
  };
  const refusal = startPostgres(options);
  await expect(refusal).rejects.toThrow(PortTaken);
  await expect(refusal).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is taken by another program. Free it, or choose another with DB_PORT.`,
  );
  neighbour.close();

  const server = await startPostgres(options);
  expect(server.port).toBe(port);
  await server.stop();
});

test('two servers never share a data folder', async () => {
  const dataDir = await folder();
  const server = await startPostgres({ dataDir, durable: true, env });
  await expect(startPostgres({ dataDir, durable: true, env })).rejects.toThrow(FolderInUse);
  expect(await ask(server.url, 'select 1 as one')).toEqual([1]);
  await server.stop();
});

test('a creation cut short is begun anew', async () => {
  const dataDir = await folder();
  const { major } = await findPostgres(env, postgresPlaces());
  await mkdir(join(dataDir, `pg${major}.unfinished/base`), { recursive: true });
  const server = await startPostgres({ dataDir, durable: true, env });
  expect(await ask(server.url, 'select 1 as one')).toEqual([1]);
  await server.stop();
  expect((await readdir(dataDir)).toSorted((a, b) => a.localeCompare(b))).toEqual([
    `pg${major}`,
    'superuser-password',
  ]);
});

test("another PostgreSQL's data is left untouched, and the log says so", async () => {
  const dataDir = await folder();
  await mkdir(join(dataDir, 'pg9'));
  await writeFile(join(dataDir, 'pg9/PG_VERSION'), '9');
  const lines: string[] = [];
  const server = await startPostgres({
    dataDir,
    durable: true,
    env,
    log: (line) => lines.push(line),
  });
  await server.stop();
  expect(lines[0]).toMatch(/Starting empty: .* also holds pg9/);
  expect(await readFile(join(dataDir, 'pg9/PG_VERSION'), 'utf8')).toBe('9');
});

test.runIf(isRoot)(
  'as root it also runs from a checkout no other account can enter',
  { timeout: 60_000 },
  async () => {
    const closed = await mkdtemp(join(root, 'closed-'));
    const { embedded } = postgresPlaces();
    await cp(String(embedded), join(closed, 'native'), { recursive: true, verbatimSymlinks: true });
    const places = { embedded: join(closed, 'native'), system: '/none', stateDir: await folder() };
    expect(await isReachable(closed, await serverAccount())).toBe(false);

    const options: PostgresOptions = { dataDir: join(closed, 'data'), durable: true, env, places };
    const first = await startPostgres(options);
    await ask(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await startPostgres(options);
    expect(await ask(second.url, 'select answer from kept')).toEqual([42]);
    expect(await ask(second.url, 'show data_directory')).toEqual([
      expect.stringContaining(places.stateDir),
    ]);
    await second.stop();
  },
);

const folder = async () => {
  const path = await mkdtemp(join(root, 'folder-'));
  await chmod(path, 0o755);
  return path;
};
