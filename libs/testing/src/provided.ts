import type { NatsBinary } from '@manifold/infrastructure';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser URL of this run's throw-away cluster. */
    manifoldPostgresUrl: string;
    /** Found once, so that a test file's server starts in milliseconds. */
    manifoldNatsBinary: NatsBinary;
  }
}
