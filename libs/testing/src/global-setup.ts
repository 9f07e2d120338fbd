import { randomBytes } from 'node:crypto';
import { findNatsServer, startPostgres, sweepThrowAways } from '@manifold/infrastructure';
import type { TestProject } from 'vitest/node';
import type {} from './provided.ts';
import { startPostgresContainer } from './container.ts';
import { dropRun, type TestRun } from './template.ts';

/** One throw-away Postgres cluster per vitest run; returns how to end it. Vitest calls it before any test. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [postgres, nats] = await Promise.all([
    process.env['TEST_CONTAINERS'] === '1'
      ? startPostgresContainer()
      : startPostgres({ durable: false }),
    findNatsServer(),
  ]);
  const run: TestRun = {
    postgresUrl: postgres.url,
    prefix: `test_${randomBytes(4).toString('hex')}`,
    password: randomBytes(24).toString('base64url'),
  };
  project.provide('manifoldTestRun', run);
  project.provide('manifoldNatsBinary', nats);
  // watching: a migration may have been edited
  project.onTestsRerun(() => dropRun(run));
  return async () => {
    try {
      // a server that was given stays
      await dropRun(run);
    } finally {
      await postgres.stop();
    }
    // servers of test files that failed before their own stop
    await sweepThrowAways();
  };
}
