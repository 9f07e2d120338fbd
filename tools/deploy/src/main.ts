import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { ROOT } from './root.ts';

const [name = ''] = process.argv.slice(2);
const script = name === 'databases' ? 'tools/deploy/src/databases.ts' : `apps/${name}/src/main.ts`;
if (name === '' || !existsSync(join(ROOT, script))) {
  process.stderr.write(
    `There is no service "${name}". Usage: node tools/deploy/src/main.ts <service>\n`,
  );
  process.exit(1);
}
const outDir = join(ROOT, 'dist', name);
await bundle({ name, script, outDir });
process.stdout.write(`dist/${name}: run it with \`node main.js\`\n`);
