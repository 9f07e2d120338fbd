import { findNatsServer, startPostgres, sweepThrowAways } from '@manifold/infrastructure';
import type { TestProject } from 'vitest/node';
import type {} from './provided.ts';
import { startPostgresContainer } from './container.ts';

/** One throw-away Postgres cluster per vitest run; returns how to end it. Vitest calls it before any test. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [postgres, nats] = await Promise.all([
    process.env['TEST_CONTAINERS'] === '1'
      ? startPostgresContainer()
      : startPostgres({ durable: false }),
    findNatsServer(),
  ]);
  project.provide('manifoldPostgresUrl', postgres.url);
  project.provide('manifoldNatsBinary', nats);
  return async () => {
    await postgres.stop();
    // servers of test files that failed before their own stop
    await sweepThrowAways();
  };
}
