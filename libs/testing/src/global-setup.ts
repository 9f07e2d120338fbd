import {
  findNatsServer,
  type NatsBinary,
  startPostgres,
  sweepThrowAways,
} from '@manifold/infrastructure';
import type { TestProject } from 'vitest/node';
import { startPostgresContainer } from './container.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser URL of this run's throw-away cluster. */
    manifoldPostgresUrl: string;
    /** Found once, so that a test file's server starts in milliseconds. */
    manifoldNatsBinary: NatsBinary;
  }
}

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
