import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimFolder, claimOf } from './claim.ts';
import { stopLeftovers } from './leftovers.ts';

const PREFIX = 'manifold-throw-away-';
const UNCLAIMED_FOR_MS = 3_600_000;

export type Folder = { path: string; remove: () => Promise<void> };

/** A folder for data nobody will miss. Those of owners that were killed are removed on the way. */
export async function createThrowAway(kind: string, parent = tmpdir()): Promise<Folder> {
  await sweepThrowAways(parent);
  const path = await mkdtemp(join(parent, `${PREFIX}${kind}-`));
  // another account must be able to enter, not to list
  await chmod(path, 0o711);
  await claimFolder(path);
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Stops the servers and removes the folders of throw-aways whose owner is gone. */
export async function sweepThrowAways(parent = tmpdir()): Promise<void> {
  const names = await readdir(parent);
  for (const name of names.filter((each) => each.startsWith(PREFIX))) {
    const path = join(parent, name);
    if (!(await isAbandoned(path))) continue;
    await stopLeftovers(path);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const claim = await claimOf(path);
  if (claim !== 'absent') return claim === 'abandoned';
  const found = await stat(path).catch(() => undefined);
  const isOurs = found !== undefined && found.uid === process.getuid?.();
  return isOurs && Date.now() - found.mtimeMs > UNCLAIMED_FOR_MS;
}
