import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  access,
  constants,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findDebianSource, renderSource } from './debian-sources.ts';
import { type NatsPlaces, searchPath } from './places.ts';

/** Debian 13: its nats-server is 2.10, and needs no newer libc than Debian 12 has. */
const SUITE = 'trixie';
const LOCK_PATIENCE_S = 300;
const APT_PATIENCE_MS = 180_000;
const run = promisify(execFile);

type VersionOf = (path: string) => Promise<string | undefined>;
type Taking = {
  env: NodeJS.ProcessEnv;
  places: NatsPlaces;
  /** Undefined for a program that does not run here or is too old. */
  versionOf: VersionOf;
  /** Whether another process was faster. */
  isTaken: () => Promise<boolean>;
  log: ((line: string) => void) | undefined;
};

/**
 * Takes nats-server from the Debian archive the machine already uses into `<cacheDir>/nats-server/<version>`.
 * The system's package lists, caches and database stay as they are; apt checks the signatures as always.
 * Several processes at once: one takes it, the others wait.
 */
export async function takeFromDebian({
  env,
  places,
  log,
  versionOf,
  isTaken,
}: Taking): Promise<void> {
  const { cacheDir, aptDir } = places;
  for (const tool of ['apt-get', 'dpkg-deb', 'flock']) {
    if (!(await isOnPath(tool, env))) throw new Error(`this machine has no ${tool}.`);
  }
  const source = await findDebianSource(aptDir);
  if (source === undefined) throw new Error(`${aptDir} names no Debian archive.`);

  const shelf = join(cacheDir, 'nats-server');
  await mkdir(shelf, { recursive: true });
  const unlock = await lock(join(cacheDir, 'nats-server.lock'), env);
  try {
    if (await isTaken()) return;
    log?.("Taking nats-server 2.10 from Debian's packages into .cache (once)");
    const work = await mkdtemp(join(cacheDir, 'nats-server.taking-'));
    try {
      await writeAptConfig(work, renderSource(source, SUITE));
      const version = await download(work, env, versionOf);
      await rm(join(shelf, version), { recursive: true, force: true });
      await rename(join(work, 'tree/usr/sbin'), join(shelf, version));
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  } finally {
    await unlock();
  }
}

async function writeAptConfig(work: string, source: string): Promise<void> {
  for (const folder of ['sources', 'lists/partial', 'archives/partial', 'tree']) {
    await mkdir(join(work, folder), { recursive: true });
  }
  await writeFile(join(work, 'sources/debian.sources'), source);
  const config = [
    'Dir::Etc::sourcelist "/dev/null";',
    `Dir::Etc::sourceparts "${work}/sources";`,
    'Dir::Etc::preferences "/dev/null";',
    'Dir::Etc::preferencesparts "/dev/null";',
    `Dir::State::lists "${work}/lists";`,
    `Dir::Cache "${work}";`,
    'Dir::Cache::archives "archives";',
    // the account apt drops to may not reach the checkout
    'APT::Sandbox::User "root";',
    'APT::Default-Release "";',
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "30";',
    'Acquire::https::Timeout "30";',
    // hooks would tidy up the system's own caches
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
  ];
  await writeFile(join(work, 'apt.conf'), `${config.join('\n')}\n`);
}

async function download(
  work: string,
  env: NodeJS.ProcessEnv,
  versionOf: VersionOf,
): Promise<string> {
  const apt = (...args: string[]) =>
    tool('apt-get', ['-c', join(work, 'apt.conf'), '-qq', ...args], { env, cwd: work });
  await apt('update');
  await apt('download', 'nats-server');
  const archive = (await readdir(work)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get downloaded no package.');
  await tool('dpkg-deb', ['-x', archive, 'tree'], { env, cwd: work });
  const version = await versionOf(join(work, 'tree/usr/sbin/nats-server'));
  if (version === undefined) throw new Error('the nats-server of the package does not run here.');
  return version;
}

async function tool(
  name: string,
  args: string[],
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
): Promise<void> {
  const quiet = { ...env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run(name, args, { env: quiet, cwd, timeout: APT_PATIENCE_MS });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`${name} failed: ${said.slice(-600) || 'no output'}`, { cause: error });
  }
}

/** The kernel's lock: it falls with its holder, which ends when we let go of its input or are killed. */
async function lock(file: string, env: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  const args = ['-w', String(LOCK_PATIENCE_S), file, 'sh', '-c', 'echo held; cat'];
  const holder = spawn('flock', args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = once(holder, 'exit');
  const first = await Promise.race([once(holder.stdout, 'data'), exited.then(() => undefined)]);
  if (first === undefined) throw new Error(`${file} stayed locked for ${LOCK_PATIENCE_S} s.`);
  return async () => {
    holder.stdin.end();
    await exited;
  };
}

async function isOnPath(name: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  for (const folder of searchPath(env)) {
    const found = await access(join(folder, name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
