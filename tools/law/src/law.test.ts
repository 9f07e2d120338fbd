import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cruise, type IForbiddenRuleType } from 'dependency-cruiser';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = resolve(import.meta.dirname, '../../..');
const Law = z.object({
  forbidden: z.array(z.looseObject({ name: z.string() })),
  options: z.looseObject({}),
});
const law = Law.parse(createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs')));

const planted: string[] = [];
afterEach(async () => {
  for (const folder of planted.splice(0)) await rm(folder, { recursive: true });
});

const room = 'apps/referrals/src';
const lawful = {
  [`${room}/rules.ts`]: "import type { Row } from './store.ts';\nexport type Decision = Row;",
  [`${room}/store.ts`]: "import { sql } from 'kysely';\nexport type Row = typeof sql;",
  [`${room}/resolvers.ts`]: "export { type Decision } from './rules.ts';",
  'libs/contracts/src/index.ts': "import { z } from 'zod';\nexport const Id = z.string();",
  'libs/contracts/src/inner.ts': 'export const inner = 1;',
  'libs/errors/src/index.ts': 'export const errors = 1;',
  'libs/database/src/index.ts': 'export const database = 1;',
  'libs/pipedrive/src/index.ts': 'export const pipedrive = 1;',
  'libs/testing/src/index.ts': 'export const testing = 1;',
  'apps/audit/src/main.ts': 'export const audit = 1;',
  'tools/dev/src/main.ts': 'export const dev = 1;',
  'tools/pipedrive-sandbox/src/main.ts': 'export const sandbox = 1;',
};

const violations: Record<string, Record<string, string>> = {
  'apps-never-import-apps': {
    [`${room}/commands.ts`]: "export { audit } from '../../audit/src/main.ts';",
  },
  'libs-never-import-apps-or-tools': {
    'libs/errors/src/index.ts': "export { audit } from '../../../apps/audit/src/main.ts';",
  },
  'apps-never-import-tools': {
    [`${room}/commands.ts`]: "export { dev } from '../../../tools/dev/src/main.ts';",
  },
  'contracts-import-only-zod': {
    'libs/contracts/src/index.ts': "import { hash } from 'node:crypto';\nexport { hash };",
  },
  'libs-are-imported-by-name': {
    [`${room}/commands.ts`]: "export { inner } from '../../../libs/contracts/src/inner.ts';",
  },
  'only-tests-import-testing': {
    [`${room}/commands.ts`]: "export { testing } from '../../../libs/testing/src/index.ts';",
  },
  'rules-are-pure': {
    [`${room}/rules.ts`]: "export { readFileSync } from 'node:fs';",
  },
  'rules-know-no-rooms': {
    [`${room}/rules.ts`]: "import { sum } from './commands.ts';\nexport const two = sum;",
    [`${room}/commands.ts`]: 'export const sum = 2;',
  },
  'pure-libs-are-pure': {
    'libs/errors/src/index.ts': "export { database } from '../../database/src/index.ts';",
  },
  'expressions-need-no-threads': {
    'libs/expressions/src/compile.ts': "export { Worker } from 'node:worker_threads';",
  },
  'sql-lives-in-store-and-migrations': {
    [`${room}/commands.ts`]: "export { sql } from 'kysely';",
  },
  'edges-never-import-edges': {
    [`${room}/resolvers.ts`]: "export { hears } from './consumers.ts';",
    [`${room}/consumers.ts`]: 'export const hears = 1;',
  },
  'only-connections-calls-pipedrive': {
    [`${room}/commands.ts`]: "export { pipedrive } from '../../../libs/pipedrive/src/index.ts';",
  },
  'sandbox-stands-alone': {
    'tools/pipedrive-sandbox/src/main.ts':
      "export { errors } from '../../../libs/errors/src/index.ts';",
  },
  'no-cycles': {
    [`${room}/commands.ts`]: "import { b } from './rewards.ts';\nexport const a = () => b;",
    [`${room}/rewards.ts`]: "import { a } from './commands.ts';\nexport const b = () => a;",
  },
};

test('a tree that keeps the law is reported clean', async () => {
  expect(await brokenRules({})).toEqual([]);
});

test.each(Object.entries(violations))('%s is reported when broken', async (rule, files) => {
  expect(await brokenRules(files)).toContain(rule);
});

test('every rule of the law is broken by a test', () => {
  expect(Object.keys(violations).toSorted()).toEqual(
    law.forbidden.map(({ name }) => name).toSorted(),
  );
});

async function brokenRules(files: Record<string, string>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'manifold-law-'));
  planted.push(folder);
  for (const [path, text] of Object.entries({ ...lawful, ...files })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const { tsConfig: _, ...options } = law.options;
  const result = await cruise(['apps', 'libs', 'tools'], {
    ...options,
    baseDir: folder,
    validate: true,
    // the file's own shape, checked by dependency-cruiser itself
    ruleSet: { forbidden: law.forbidden as unknown as IForbiddenRuleType[] },
  });
  if (typeof result.output === 'string') throw new Error(result.output);
  return result.output.summary.violations.map(({ rule }) => rule.name);
}
