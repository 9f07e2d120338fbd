import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Folder, listProblems } from './check.ts';
import { listSchemas } from './schemas.ts';

const root = join(import.meta.dirname, '../../..');
const contracts = join(root, 'libs/contracts');
const schemasDirectory = join(contracts, 'schemas');
const { values: flags } = parseArgs({ options: { check: { type: 'boolean' } } });
const wanted = toJson(listSchemas());

if (!flags.check) write();
const examples = read(join(contracts, 'examples'));
const problems = listProblems({ wanted, schemas: read(schemasDirectory), examples });
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`${wanted.size} event schemas are ${flags.check ? 'fresh' : 'written'}`);

/** As a file would hold it: what JSON cannot say is gone. */
function toJson(schemas: Folder): Folder {
  return new Map([...schemas].map(([name, schema]) => [name, JSON.parse(JSON.stringify(schema))]));
}

function read(directory: string): Folder {
  const files = globSync('*.json', { cwd: directory });
  return new Map(
    files.map((file) => [file, JSON.parse(readFileSync(join(directory, file), 'utf8'))]),
  );
}

function write(): void {
  rmSync(schemasDirectory, { recursive: true, force: true });
  mkdirSync(schemasDirectory);
  for (const [name, schema] of wanted) {
    writeFileSync(join(schemasDirectory, name), JSON.stringify(schema, null, 2));
  }
  const biome = join(root, 'node_modules/.bin/biome');
  execFileSync(biome, ['format', '--write', schemasDirectory], { cwd: root, stdio: 'ignore' });
}
