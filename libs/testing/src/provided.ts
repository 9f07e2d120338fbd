import type { NatsBinary } from '@manifold/infrastructure';
import type { TestRun } from './template.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** This run's Postgres server, by its superuser, and what is named after the run there. */
    manifoldTestRun: TestRun;
    /** Found once, so that a test file's server starts in milliseconds. */
    manifoldNatsBinary: NatsBinary;
  }
}
