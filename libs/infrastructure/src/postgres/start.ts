import { randomBytes } from 'node:crypto';
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Child } from '../process/child.ts';
import { claimFolder } from '../process/claim.ts';
import { stopLeftovers } from '../process/leftovers.ts';
import { requireFreePort } from '../process/port.ts';
import { createThrowAway } from '../process/throw-away.ts';
import { firstReachable, locateData, reachableBinaries, serverAccount } from './account.ts';
import {
  findPostgres,
  type PostgresBinaries,
  type PostgresPlaces,
  postgresPlaces,
} from './binaries.ts';
import { type Cluster, createCluster, runCluster } from './cluster.ts';
import { useGivenServer } from './given.ts';
import type { PostgresServer } from './server.ts';

export type PostgresOptions = {
  /** Kept between starts. Absent: a throw-away cluster, removed at stop. */
  dataDir?: string;
  /** 0 or absent: any free one. */
  port?: number;
  /** The environment variable that sets `port`, for the message when it is taken. */
  portVariable?: string;
  /** True: fsync on. False: fast, for tests. */
  durable: boolean;
  log?: (line: string) => void;
  /** `DATABASE_URL` and `PG_BIN_DIR` are read from here; the process's own when absent. */
  env?: NodeJS.ProcessEnv;
  /** Where binaries are looked for; for the tests of this lib. */
  places?: PostgresPlaces;
};

/**
 * A PostgreSQL server without Docker: `DATABASE_URL` when set, else a private one from `PG_BIN_DIR`, the
 * embedded package or the system, listening on 127.0.0.1 only. A server that a killed owner left running
 * on `dataDir` is stopped first.
 *
 * @throws PortTaken when `port` is in use; FolderInUse when another living process runs on `dataDir`.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { env = process.env, dataDir, places = postgresPlaces() } = options;
  const given = env['DATABASE_URL'];
  if (given) return useGivenServer(given);
  const binaries = await findPostgres(env, places);
  return dataDir === undefined
    ? startThrowAway(binaries, options)
    : startKept(binaries, resolve(dataDir), { ...options, stateDir: places.stateDir });
}

async function startThrowAway(
  binaries: PostgresBinaries,
  { durable, log, port = 0, portVariable: variable }: PostgresOptions,
): Promise<PostgresServer> {
  if (port !== 0) await requireFreePort(port, variable);
  const account = await serverAccount();
  const parent = await firstReachable([tmpdir(), '/tmp', '/var/tmp'], account);
  const { path, remove } = await createThrowAway('postgres', parent);
  try {
    const binDir = await reachableBinaries(binaries, path, account);
    const cluster: Cluster = {
      binDir,
      folder: clusterFolder(path, binaries),
      account,
      durable,
      log,
    };
    await createCluster(cluster, undefined);
    const running = await runCluster(cluster, { port, variable });
    const stop = () => running.child.stop(durable ? 'SIGINT' : 'SIGQUIT').then(remove);
    return { ...describe(running, binaries), stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function startKept(
  binaries: PostgresBinaries,
  dataDir: string,
  {
    stateDir,
    durable,
    log,
    port = 0,
    portVariable: variable,
  }: PostgresOptions & { stateDir: string },
): Promise<PostgresServer> {
  const account = await serverAccount();
  const location = await locateData(dataDir, account, stateDir);
  const claim = await claimFolder(dataDir);
  try {
    await stopLeftovers(location);
    if (port !== 0) await requireFreePort(port, variable);
    const binDir = await reachableBinaries(binaries, location, account);
    const cluster: Cluster = {
      binDir,
      folder: clusterFolder(location, binaries),
      account,
      durable,
      log,
    };
    const password = await keptPassword(dataDir);
    if (!(await exists(cluster.folder))) {
      await reportOtherMajors(location, log);
      await createCluster(cluster, password);
    }
    const running = await runCluster(cluster, { port, variable });
    const stop = () => running.child.stop('SIGINT').then(claim.release);
    return { ...describe(running, binaries, password), stop };
  } catch (error) {
    await claim.release();
    throw error;
  }
}

const clusterFolder = (location: string, { major }: PostgresBinaries): string =>
  join(location, `pg${major}`);

function describe(
  { child, port }: { child: Child; port: number },
  { major, source }: PostgresBinaries,
  password?: string,
) {
  const login = password === undefined ? 'postgres' : `postgres:${password}`;
  return {
    url: `postgres://${login}@127.0.0.1:${port}/postgres`,
    port,
    pid: child.pid,
    major,
    source,
  };
}

/** The superuser's password, made once and kept 0600 beside the data. */
async function keptPassword(dataDir: string): Promise<string> {
  const file = join(dataDir, 'superuser-password');
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (kept.trim() !== '') return kept.trim();
  const password = randomBytes(32).toString('base64url');
  await mkdir(dataDir, { recursive: true });
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

async function reportOtherMajors(location: string, log: PostgresOptions['log']): Promise<void> {
  const others = (await readdir(location)).filter((name) => /^pg\d+$/.test(name));
  if (others.length === 0) return;
  log?.(
    `Starting empty: ${location} also holds ${others.join(', ')}, of another PostgreSQL; left untouched.`,
  );
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
