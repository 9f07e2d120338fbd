import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stopOrphan } from './table.ts';

/**
 * Stops the servers that a killed owner left running on a folder, found by their pid files:
 * `nats-server.pid` in the folder, `postmaster.pid` one level below.
 */
export async function stopLeftovers(folder: string): Promise<void> {
  for (const file of await pidFiles(folder)) {
    const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
    if (Number.isInteger(pid) && pid > 1) await stopOrphan(pid, folder);
  }
}

async function pidFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const clusters = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith('pg'));
  return [
    join(folder, 'nats-server.pid'),
    ...clusters.map(({ name }) => join(folder, name, 'postmaster.pid')),
  ];
}
