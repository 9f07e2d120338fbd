import { randomBytes } from 'node:crypto';
import {
  access,
  chown,
  constants,
  cp,
  mkdir,
  readFile,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Account } from '../process/child.ts';
import type { PostgresBinaries } from './binaries.ts';

/** PostgreSQL refuses to run as root: root lends it the account `postgres`, else `nobody`. */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find(([login]) => login === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('Running as root, and this machine has neither an account postgres nor nobody.');
}

/** Whether every folder down to `path` lets the account through. Absent account: ourselves. */
export async function isReachable(path: string, account: Account | undefined): Promise<boolean> {
  if (account === undefined) return true;
  for (let folder = await realpath(path); ; folder = dirname(folder)) {
    const { uid, gid, mode } = await stat(folder);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** The first of the folders that the account can reach. */
export async function firstReachable(
  folders: string[],
  account: Account | undefined,
): Promise<string> {
  for (const folder of folders) {
    const usable = await access(folder, constants.W_OK).then(
      () => isReachable(folder, account),
      () => false,
    );
    if (usable) return folder;
  }
  throw new Error(`None of ${folders.join(', ')} can be used by the account PostgreSQL runs as.`);
}

/**
 * Where the cluster of `dataDir` lives: in it, or, when the server's account cannot reach it (a checkout
 * under /root), in a folder of its own under `stateDir` that the file `location` names.
 */
export async function locateData(
  dataDir: string,
  account: Account | undefined,
  stateDir: string,
): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  if (await isReachable(dataDir, account)) return dataDir;

  const note = join(dataDir, 'location');
  const noted = await readFile(note, 'utf8').catch(() => '');
  const location = noted.trim() || join(stateDir, `postgres-${randomBytes(8).toString('hex')}`);
  await mkdir(location, { recursive: true, mode: 0o711 });
  await writeFile(note, `${location}\n`, { mode: 0o600 });
  return location;
}

/** The binaries, copied next to the data (60 MB) when the server's account cannot reach them. */
export async function reachableBinaries(
  { binDir, source }: PostgresBinaries,
  location: string,
  account: Account | undefined,
): Promise<string> {
  if (source !== 'embedded' || (await isReachable(binDir, account))) return binDir;
  const copy = join(location, 'binaries');
  await rm(copy, { recursive: true, force: true });
  await cp(dirname(binDir), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

/** Hands a file or folder to the server's account. */
export async function handOver(path: string, account: Account | undefined): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid);
}
