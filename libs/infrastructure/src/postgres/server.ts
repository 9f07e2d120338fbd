import type { PostgresBinaries } from './binaries.ts';

/** A running server; the start of everything else. */
export type PostgresServer = {
  /** URL of the database `postgres` as somebody who may create databases and roles. Secret. */
  url: string;
  port: number;
  /** Undefined for a server that was given by `DATABASE_URL`. */
  pid: number | undefined;
  /** Major version, for example 18. */
  major: number;
  source: 'DATABASE_URL' | PostgresBinaries['source'];
  /** Fast shutdown, SIGKILL after ten seconds. Does nothing to a given server. May be called twice. */
  stop: () => Promise<void>;
};
