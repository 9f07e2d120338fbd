import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

// compiled once, for the workers and for the services that tests start: half of what a start costs
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/node');

/** Runs of minutes: `npm run test:long`. */
const long = process.env['MANIFOLD_LONG'] ? [] : ['**/*.long.test.ts'];

export default defineConfig({
  test: {
    include: ['{apps,libs,tools}/*/{src,test}/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...long],
    globalSetup: ['./libs/testing/src/global-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
