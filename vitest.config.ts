import { configDefaults, defineConfig } from 'vitest/config';

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
