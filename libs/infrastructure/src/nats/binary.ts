import { execFile } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { takeFromDebian } from './debian.ts';
import { type NatsPlaces, natsPlaces, searchPath } from './places.ts';
import { isNewEnough } from './version.ts';

const run = promisify(execFile);

export type NatsBinary = {
  path: string;
  /** For example 2.10.27. */
  version: string;
  source: 'NATS_SERVER_BIN' | 'PATH' | 'debian';
};

export type NatsSearch = {
  /** `NATS_SERVER_BIN` and `PATH` are read from here; the process's own when absent. */
  env?: NodeJS.ProcessEnv;
  places?: NatsPlaces;
  /** Told when a package is taken, which takes seconds. */
  log?: ((line: string) => void) | undefined;
};

/** No nats-server 2.10 or newer anywhere, and none could be taken. The message says what to do. */
export class NatsServerMissing extends Error {
  override name = 'NatsServerMissing';
}

/**
 * A nats-server 2.10 or newer: `NATS_SERVER_BIN` when set, else PATH, else the one of Debian 13's packages,
 * taken once into the repository's `.cache` without touching the system (needs apt-get, takes seconds).
 *
 * @throws NatsServerMissing
 */
export async function findNatsServer({
  env = process.env,
  places = natsPlaces(),
  log,
}: NatsSearch = {}): Promise<NatsBinary> {
  const asked = env['NATS_SERVER_BIN'];
  if (asked) return useAsked(asked);
  const passedOver: string[] = [];
  for (const folder of [...searchPath(env), ...places.systemDirs]) {
    const path = join(folder, 'nats-server');
    const version = await versionOf(path);
    if (version !== undefined && isNewEnough(version)) return { path, version, source: 'PATH' };
    if (version !== undefined) passedOver.push(`${path} is ${version}`);
  }
  const cached = await findCached(places.cacheDir);
  if (cached !== undefined) return cached;
  const isTaken = async () => (await findCached(places.cacheDir)) !== undefined;
  try {
    await takeFromDebian({ env, places, log, versionOf: usableVersion, isTaken });
  } catch (error) {
    throw missing(passedOver, error);
  }
  const taken = await findCached(places.cacheDir);
  if (taken === undefined) throw missing(passedOver, undefined);
  return taken;
}

async function useAsked(path: string): Promise<NatsBinary> {
  const version = await versionOf(path);
  if (version === undefined)
    throw new NatsServerMissing(`NATS_SERVER_BIN=${path} is no nats-server that runs.`);
  if (!isNewEnough(version)) {
    throw new NatsServerMissing(`NATS_SERVER_BIN=${path} is ${version}; 2.10 or newer is needed.`);
  }
  return { path, version, source: 'NATS_SERVER_BIN' };
}

async function findCached(cacheDir: string): Promise<NatsBinary | undefined> {
  const folder = join(cacheDir, 'nats-server');
  const names = await readdir(folder).catch(() => []);
  for (const name of names.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))) {
    const path = join(folder, name, 'nats-server');
    const version = await usableVersion(path);
    if (version !== undefined) return { path, version, source: 'debian' };
  }
  return undefined;
}

async function usableVersion(path: string): Promise<string | undefined> {
  const version = await versionOf(path);
  return version !== undefined && isNewEnough(version) ? version : undefined;
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
    return /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

function missing(passedOver: string[], cause: unknown): NatsServerMissing {
  const seen = passedOver.length === 0 ? '' : ` (${passedOver.join(', ')})`;
  const reason =
    cause instanceof Error ? ` Debian's package could not be taken: ${cause.message}` : '';
  return new NatsServerMissing(
    `No nats-server 2.10 or newer found${seen}.${reason}\n` +
      'Install one from https://github.com/nats-io/nats-server/releases and put it on PATH or set ' +
      'NATS_SERVER_BIN to it, or set NATS_URL to a running server with JetStream.',
    { cause },
  );
}
