import type { NatsBinary } from './binary.ts';

/** A running server with JetStream. */
export type NatsServer = {
  /** Without credentials. */
  url: string;
  port: number;
  /** Undefined without `monitorPort` and for a given server. */
  monitorUrl: string | undefined;
  /** Undefined for a server that was given by `NATS_URL`. */
  pid: number | undefined;
  version: string;
  source: 'NATS_URL' | NatsBinary['source'];
  /** Orderly shutdown, SIGKILL after ten seconds. Does nothing to a given server. May be called twice. */
  stop: () => Promise<void>;
  /** SIGKILL, as a crash would: nothing is flushed, a throw-away store stays until `stop`. */
  kill: () => Promise<void>;
  /**
   * Starts it again on the same port and store, after ending it in order unless it is dead. The handle
   * returned replaces this one. A given server is left alone.
   */
  restart: () => Promise<NatsServer>;
};
