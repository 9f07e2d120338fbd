import type {} from './provided.ts';
import { type NatsServer, type NatsUser, startNats } from '@manifold/infrastructure';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { inject } from 'vitest';
import { eventually } from './eventually.ts';

/** A private JetStream server and a connection that may do everything. */
export type TestNats = {
  /** Reconnects for ever, every 25 ms. */
  nats: NatsConnection;
  /** Without credentials. Stays the same through `restart`. */
  url: string;
  /** The server now running: `restart` replaces it, so read it anew. */
  readonly server: NatsServer;
  /** Closes the connection, stops the server, removes its store. */
  stop: () => Promise<void>;
  /** SIGKILL, as a crash would. `restart` brings it back. */
  kill: () => Promise<void>;
  /** Ends the server unless it is dead, starts it on the same port and store, waits for `nats`. */
  restart: () => Promise<void>;
};

const RECONNECT_MS = 25;
const tester = { user: 'tester', password: 'tester', publish: ['>'], subscribe: ['>'] };

/**
 * A JetStream server for one test file, so that streams keep their real names. Without `users` anybody may do
 * everything; with them only they, and `nats`. Always private: `NATS_URL` is not used. Call `stop` in `afterAll`.
 */
export async function startTestNats({ users }: { users?: NatsUser[] } = {}): Promise<TestNats> {
  const options = users === undefined ? {} : { users: [...users, tester] };
  const binary = inject('manifoldNatsBinary');
  let server = await startNats({ durable: false, env: {}, binary, ...options });
  const nats = await connect({
    servers: `127.0.0.1:${server.port}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    ...(users !== undefined && { user: tester.user, pass: tester.password }),
  });

  const stop = async () => {
    await nats.close();
    await server.stop();
  };
  const restart = async () => {
    server = await server.restart();
    // refused until the connection is back
    await eventually(() => nats.flush());
  };
  return {
    nats,
    url: server.url,
    get server() {
      return server;
    },
    stop,
    kill: () => server.kill(),
    restart,
  };
}
