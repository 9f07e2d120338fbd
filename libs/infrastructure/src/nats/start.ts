import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, startChild } from '../process/child.ts';
import { claimFolder } from '../process/claim.ts';
import { stopLeftovers } from '../process/leftovers.ts';
import { requireFreePort } from '../process/port.ts';
import { createThrowAway } from '../process/throw-away.ts';
import { findNatsServer, type NatsBinary } from './binary.ts';
import { type NatsUser, natsConfig } from './config.ts';
import { type NatsPlaces, natsPlaces } from './places.ts';
import { useGivenNats } from './given.ts';
import type { NatsServer } from './server.ts';

/** Recovery reads every stream back first. */
const READY_WITHIN_MS = 60_000;

export type NatsOptions = {
  /** Kept between starts. Absent: a throw-away store, removed at stop. */
  storeDir?: string;
  /** 0 or absent: any free one. */
  port?: number;
  /** Absent: no monitoring. 0: any free one. */
  monitorPort?: number;
  /** The environment variables that set the ports, for the message when one is taken. */
  portVariable?: string;
  monitorPortVariable?: string;
  /** Absent: no authorization. A given server (`NATS_URL`) has its own users. */
  users?: NatsUser[];
  /** Whose permissions a client without credentials gets. Absent: none, it is refused. */
  anonymousUser?: string;
  /** True: acknowledged means synced to disk. False: fast, for tests. */
  durable: boolean;
  /** Upper bound of all streams' `max_bytes` together; 10 GiB when absent. */
  maxFileStoreBytes?: number;
  log?: (line: string) => void;
  /** `NATS_URL`, `NATS_SERVER_BIN` and `PATH` are read from here; the process's own when absent. */
  env?: NodeJS.ProcessEnv;
  /** A server found before; saves the search. */
  binary?: NatsBinary;
  /** Where servers are looked for; for the tests of this lib. */
  places?: NatsPlaces;
};

/**
 * A NATS server 2.10 or newer with JetStream: `NATS_URL` when set, else a private one on 127.0.0.1
 * (see `findNatsServer`). The store has one folder per minor version, since an older server must not open a
 * newer one's. A server that a killed owner left running on `storeDir` is stopped first.
 *
 * @throws PortTaken, NatsServerMissing, FolderInUse
 */
export async function startNats(options: NatsOptions): Promise<NatsServer> {
  const { env = process.env, log, places = natsPlaces() } = options;
  const storeDir = options.storeDir === undefined ? undefined : resolve(options.storeDir);
  const given = env['NATS_URL'];
  if (given) return useGivenNats(given);
  const binary = options.binary ?? (await findNatsServer({ env, places, log }));
  if (storeDir === undefined) {
    const { path, remove } = await createThrowAway('nats');
    return startIn({ folder: path, release: remove, binary }, options);
  }
  await mkdir(storeDir, { recursive: true });
  const claim = await claimFolder(storeDir);
  return startIn({ folder: storeDir, release: claim.release, binary }, options);
}

type Place = { folder: string; release: () => Promise<void>; binary: NatsBinary };

async function startIn(place: Place, options: NatsOptions): Promise<NatsServer> {
  const { folder, release, binary } = place;
  try {
    await stopLeftovers(folder);
    await requirePorts(options);
    const file = await writeConfig(place, options);
    const child = await startChild(binary.path, ['-c', file], { log: options.log });
    const ports = await readPorts(child, join(folder, 'ports'));
    const [url = '', monitorUrl] = [ports.nats[0], ports.monitoring?.[0]];
    const port = Number(new URL(url).port);
    return {
      url,
      port,
      monitorUrl,
      pid: child.pid,
      version: binary.version,
      source: binary.source,
      stop: () => child.stop('SIGINT').then(release),
      kill: () => child.stop('SIGKILL'),
      restart: () => child.stop('SIGINT').then(() => startIn(place, { ...options, port })),
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function requirePorts(options: NatsOptions): Promise<void> {
  const { port = 0, monitorPort = 0, portVariable, monitorPortVariable } = options;
  if (port !== 0) await requireFreePort(port, portVariable);
  if (monitorPort !== 0) await requireFreePort(monitorPort, monitorPortVariable);
}

async function writeConfig({ folder, binary }: Place, options: NatsOptions): Promise<string> {
  const portsDir = join(folder, 'ports');
  await rm(portsDir, { recursive: true, force: true });
  await mkdir(portsDir);
  const [major, minor] = binary.version.split('.');
  const file = join(folder, 'nats-server.conf');
  const text = natsConfig({
    port: options.port ?? 0,
    monitorPort: options.monitorPort,
    storeDir: join(folder, `nats-${major}.${minor}`),
    portsDir,
    pidFile: join(folder, 'nats-server.pid'),
    durable: options.durable,
    maxFileStoreBytes: options.maxFileStoreBytes,
    users: options.users,
    anonymousUser: options.anonymousUser,
  });
  await writeFile(file, text, { mode: 0o600 });
  // an existing file keeps its mode when written over, and this one holds passwords
  await chmod(file, 0o600);
  return file;
}

type Ports = { nats: string[]; monitoring?: string[] };

/** The server writes its addresses down once it takes connections. */
async function readPorts(child: Child, folder: string): Promise<Ports> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!child.hasExited() && Date.now() < deadline) {
    const name = (await readdir(folder)).find((each) => each.endsWith('.ports'));
    const ports =
      name === undefined ? undefined : parsePorts(await readFile(join(folder, name), 'utf8'));
    if (ports !== undefined) return ports;
    await sleep(2);
  }
  await child.stop('SIGKILL');
  throw new Error(`nats-server did not start:\n${child.tail()}`);
}

function parsePorts(text: string): Ports | undefined {
  try {
    // the shape nats-server documents; a file caught half-written does not parse
    return JSON.parse(text) as Ports;
  } catch {
    return undefined;
  }
}
