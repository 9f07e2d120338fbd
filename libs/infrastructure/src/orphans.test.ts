import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  findNatsServer,
  type NatsBinary,
  startNats,
  startPostgres,
  sweepThrowAways,
} from './index.ts';
import { isReachable } from './postgres/account.ts';
import { ask } from './postgres/ask.ts';
import { commandOf } from './process/table.ts';

const INDEX = join(import.meta.dirname, 'index.ts');
const NOBODY = { uid: 65_534, gid: 65_534 };
const nobodyReaches = process.getuid?.() === 0 && (await isReachable(import.meta.dirname, NOBODY));

type Servers = { postgres: { url: string; pid: number }; nats: { url: string; pid: number } };

let root: string;
let binary: NatsBinary;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'manifold-test-orphans-'));
  await chmod(root, 0o755);
  binary = await findNatsServer();
}, 200_000);
afterAll(() => rm(root, { recursive: true }));

test('what a killed owner left running is stopped at the next start, and the data is there', async () => {
  const [dataDir, storeDir] = [join(root, 'data'), join(root, 'store')];
  const { owner, servers } = await startOwner({ dataDir, storeDir });
  await ask(servers.postgres.url, 'create table kept as select 42 as answer');
  await kill(owner);
  expect(commandOf(servers.postgres.pid)).toContain(dataDir);
  expect(commandOf(servers.nats.pid)).toContain(storeDir);

  const postgres = await startPostgres({ dataDir, durable: true, env: {} });
  const nats = await startNats({ storeDir, durable: true, env: {}, binary });
  expect(commandOf(servers.postgres.pid)).toBeUndefined();
  expect(commandOf(servers.nats.pid)).toBeUndefined();
  expect(await ask(postgres.url, 'select answer from kept')).toEqual([42]);
  await Promise.all([postgres.stop(), nats.stop()]);
});

test('throw-away servers of a killed owner are swept, folders included', async () => {
  const { owner, servers } = await startOwner({});
  const [folder] = await ask(servers.postgres.url, 'show data_directory');
  await kill(owner);
  await sweepThrowAways();
  expect(commandOf(servers.postgres.pid)).toBeUndefined();
  expect(commandOf(servers.nats.pid)).toBeUndefined();
  expect(existsSync(String(folder))).toBe(false);
});

test("the terminal's Ctrl-C reaches the owner, not its servers", async () => {
  const { owner, servers } = await startOwner({});
  process.kill(-Number(owner.pid), 'SIGINT');
  await once(createInterface({ input: stdoutOf(owner) }), 'line');
  expect(await ask(servers.postgres.url, 'select 1 as one')).toEqual([1]);
  await (await connect({ servers: servers.nats.url })).close();
  owner.kill('SIGTERM');
  await once(owner, 'exit');
});

test('an owner that exits without stopping its servers takes them along', async () => {
  const { owner, servers } = await startOwner({});
  owner.kill('SIGTERM');
  await once(owner, 'exit');
  await expect.poll(() => commandOf(servers.postgres.pid), { timeout: 5_000 }).toBeUndefined();
  await expect.poll(() => commandOf(servers.nats.pid), { timeout: 5_000 }).toBeUndefined();
});

test.runIf(nobodyReaches)('everything runs for a user who is not root', async () => {
  const home = join(root, 'home');
  await mkdir(home);
  await chmod(home, 0o777);
  const folders = { dataDir: join(home, 'data'), storeDir: join(home, 'store') };
  const { owner, servers } = await startOwner(folders, NOBODY);
  expect(await ask(servers.postgres.url, 'select 1 as one')).toEqual([1]);
  owner.kill('SIGTERM');
  await once(owner, 'exit');
  await expect.poll(() => commandOf(servers.postgres.pid), { timeout: 5_000 }).toBeUndefined();
});

/** A process of its own group that starts both servers, says so, answers SIGINT and exits on SIGTERM. */
async function startOwner(
  folders: { dataDir?: string; storeDir?: string },
  account: { uid?: number; gid?: number } = {},
): Promise<{ owner: ChildProcess; servers: Servers }> {
  const options = JSON.stringify({ durable: true, env: {}, binary, ...folders });
  const script = `
    import { startNats, startPostgres } from ${JSON.stringify(INDEX)};
    process.on('SIGINT', () => console.log('still here'));
    process.on('SIGTERM', () => process.exit(0));
    const [postgres, nats] = await Promise.all([startPostgres(${options}), startNats(${options})]);
    console.log(JSON.stringify({ postgres, nats }));`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...account,
  });
  const [line] = await once(createInterface({ input: stdoutOf(owner) }), 'line');
  // what the script above prints
  return { owner, servers: JSON.parse(String(line)) as Servers };
}

async function kill(owner: ChildProcess): Promise<void> {
  owner.kill('SIGKILL');
  await once(owner, 'exit');
}

function stdoutOf({ stdout }: ChildProcess) {
  if (stdout === null) throw new Error('no output to read');
  return stdout;
}
