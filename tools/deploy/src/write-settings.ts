import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ROOT } from './root.ts';
import { makeSettings } from './settings.ts';

/** Writes what docker-compose.yml reads, once: keys that are lost lose every token. */
const folder = join(ROOT, '.local/compose');
const publicUrl = process.env['PUBLIC_URL'] ?? 'http://localhost:4002';
if (await stat(folder).catch(() => undefined)) {
  process.stderr.write(
    '.local/compose already holds settings; remove it to start anew, keys and all.\n',
  );
  process.exit(1);
}
await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
// half a set of settings would be taken for all of them
const draft = await mkdtemp(`${folder}-`);
try {
  for (const [name, text] of Object.entries(makeSettings({ publicUrl }))) {
    // the broker runs as a user of its own image
    const mode = name === 'nats.conf' ? 0o644 : 0o600;
    await writeFile(join(draft, name), text, { mode, flag: 'wx' });
  }
  await rename(draft, folder);
} catch (error) {
  await rm(draft, { recursive: true, force: true });
  throw error;
}
process.stdout.write(
  '.local/compose holds the settings; the key of the first owner is API_KEY in compose.env\n',
);
