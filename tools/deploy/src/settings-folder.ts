import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeSettings, renewBroker } from './settings.ts';

const BROKER = 'nats.conf';
/** The broker runs as a user of its own image. */
const modeOf = (name: string): number => (name === BROKER ? 0o644 : 0o600);

/**
 * Writes what docker-compose.yml reads, once: keys that are lost lose every token. Where it was written
 * before, only the broker's permissions are written anew, with the passwords it has.
 */
export async function writeSettings(
  folder: string,
  options: { publicUrl: string },
): Promise<'written' | 'renewed'> {
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  if (await stat(folder).catch(() => undefined)) {
    await renewKept(folder);
    return 'renewed';
  }
  await writeWhole(folder, makeSettings(options));
  return 'written';
}

async function renewKept(folder: string): Promise<void> {
  const file = join(folder, BROKER);
  const text = renewBroker(await readFile(file, 'utf8'));
  const draft = `${file}.new`;
  await writeFile(draft, text, { mode: modeOf(BROKER) });
  await rename(draft, file);
}

/** Half a set of settings would be taken for all of them. */
async function writeWhole(folder: string, files: Record<string, string>): Promise<void> {
  const draft = await mkdtemp(`${folder}-`);
  try {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(draft, name), text, { mode: modeOf(name), flag: 'wx' });
    }
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}
