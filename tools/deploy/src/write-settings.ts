import { join } from 'node:path';
import { ROOT } from './root.ts';
import { writeSettings } from './settings-folder.ts';

/** `npm run deploy:settings`. */
const publicUrl = process.env['PUBLIC_URL'] ?? 'http://localhost:4002';
const done = await writeSettings(join(ROOT, '.local/compose'), { publicUrl });
const said = {
  written:
    '.local/compose holds the settings; the key of the first owner is API_KEY in compose.env\n',
  renewed:
    '.local/compose already holds settings: keys and passwords stay, nats.conf has the permissions of this version. Restart nats.\n',
};
process.stdout.write(said[done]);
