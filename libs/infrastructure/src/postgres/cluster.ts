import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, type Child, startChild } from '../process/child.ts';
import { findFreePort, PortTaken } from '../process/port.ts';
import { handOver } from './account.ts';

/** Recovery after a crash replays the log first; that can take a while. */
const READY_WITHIN_MS = 120_000;
const ATTEMPTS = 10;

export type Cluster = {
  binDir: string;
  /** The folder `initdb` made. */
  folder: string;
  account: Account | undefined;
  /** True: committed means on disk. False: fast, and lost with the power. */
  durable: boolean;
  log: ((line: string) => void) | undefined;
};

/** Creates the cluster, whole or not at all. With a password: SCRAM; without: whoever reaches the port. */
export async function createCluster(cluster: Cluster, password: string | undefined): Promise<void> {
  const { binDir, folder, account, durable, log } = cluster;
  const unfinished = `${folder}.unfinished`;
  const passwordFile = `${folder}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await handOver(unfinished, account);
  const args = ['-D', unfinished, '-U', 'postgres', '--encoding=UTF8', '--locale=C'];
  if (!durable) args.push('--no-sync');
  if (password === undefined) {
    args.push('--auth=trust');
  } else {
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    await handOver(passwordFile, account);
    args.push('--auth=scram-sha-256', `--pwfile=${passwordFile}`);
  }
  try {
    const initdb = await startChild(join(binDir, 'initdb'), args, { account, log });
    const code = await initdb.exitCode();
    if (code !== 0) throw new Error(`initdb failed (${code}):\n${initdb.tail()}`);
    await rename(unfinished, folder);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** Runs the server and returns when it takes connections. Port 0: any free one. */
export async function runCluster(
  cluster: Cluster,
  { port, variable }: { port: number; variable: string | undefined },
): Promise<{ child: Child; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const chosen = port === 0 ? await findFreePort() : port;
    const child = await startChild(join(cluster.binDir, 'postgres'), serverArgs(cluster, chosen), {
      account: cluster.account,
      log: cluster.log,
    });
    if (await becomesReady(child, cluster.folder)) return { child, port: chosen };

    const tail = child.tail();
    await child.stop('SIGINT');
    const portTaken = /could not bind|Address already in use/.test(tail);
    // backends of a killed server take a moment to notice and let go of its memory
    const stillLeaving = /pre-existing shared memory block/.test(tail);
    if (portTaken && port !== 0) throw new PortTaken(port, variable);
    if (attempt === ATTEMPTS || !(portTaken || stillLeaving)) {
      throw new Error(`PostgreSQL did not start in ${cluster.folder}:\n${tail}`);
    }
    await sleep(100);
  }
}

function serverArgs({ folder, durable }: Cluster, port: number): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    // statements and details carry customers' values; the log must not
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    fsync: durable ? 'on' : 'off',
    synchronous_commit: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', folder, '-p', String(port), ...flags];
}

/** The server writes its state into the eighth line of its pid file; pg_ctl waits the same way. */
async function becomesReady(child: Child, folder: string): Promise<boolean> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!child.hasExited() && Date.now() < deadline) {
    const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
    const lines = text.split('\n');
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return true;
    await sleep(5);
  }
  return false;
}
