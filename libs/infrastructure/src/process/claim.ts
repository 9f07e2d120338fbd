import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beginningOf } from './table.ts';

/** A data folder that a living process already runs a server on. */
export class FolderInUse extends Error {
  override name = 'FolderInUse';

  constructor(folder: string, pid: number) {
    super(`${folder} is in use by process ${pid}. Stop that one first.`);
  }
}

type Claim = { pid: number; since: string | undefined; host: string };
export type ClaimState = 'held' | 'abandoned' | 'absent';

const FILE = 'claimed-by.json';
const ownPid = process.pid;

/** Marks a folder as this process's, so that a later start can tell a living owner from a killed one. */
export async function claimFolder(folder: string): Promise<{ release: () => Promise<void> }> {
  const earlier = await readClaim(folder);
  if (earlier !== undefined && stateOf(earlier) === 'held')
    throw new FolderInUse(folder, earlier.pid);
  await rm(join(folder, FILE), { force: true });

  const claim: Claim = { pid: ownPid, since: beginningOf(ownPid), host: hostname() };
  try {
    await writeFile(join(folder, FILE), JSON.stringify(claim), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    // somebody was faster since the file was removed
    const winner = await readClaim(folder);
    throw winner === undefined ? error : new FolderInUse(folder, winner.pid);
  }
  return { release: () => rm(join(folder, FILE), { force: true }) };
}

/** Whether a folder's owner lives, is gone, or never was. Owners on other hosts count as living. */
export async function claimOf(folder: string): Promise<ClaimState> {
  const claim = await readClaim(folder);
  return claim === undefined ? 'absent' : stateOf(claim);
}

const stateOf = ({ pid, since, host }: Claim): ClaimState =>
  host !== hostname() || (since !== undefined && beginningOf(pid) === since) ? 'held' : 'abandoned';

async function readClaim(folder: string): Promise<Claim | undefined> {
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => '');
  try {
    // written by claimFolder; a half-written file does not parse and counts as absent
    return JSON.parse(text) as Claim;
  } catch {
    return undefined;
  }
}
