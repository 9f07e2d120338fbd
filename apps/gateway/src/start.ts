import type { ApolloServer } from '@apollo/server';
import { brokerAnswers } from '@manifold/messaging';
import { startHttp } from '@manifold/service';
import type { NatsConnection } from '@nats-io/transport-node';
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { startAuthenticator } from './callers/authenticate.ts';
import { createExplorerRoutes } from './explorer/routes.ts';
import { type LiveOptions, type LiveSettings, startLive } from './live/start.ts';
import type { OperationContext } from './operations/context.ts';
import { execute } from './operations/execute.ts';
import { createHandler, OPERATION_TIMEOUT_MS } from './operations/handler.ts';
import { startServer } from './operations/server.ts';
import { connectService } from './services/data-source.ts';
import { readinessOfAll } from './services/readiness.ts';

/** Without this one nobody can be let in; without another the rest of the graph still answers. */
const isNeeded = (name: string): boolean => name === 'workspaces';

/** Everything the gateway is, on one port; returns the port and how to stop. */
export async function startGateway(options: {
  supergraphSdl: string;
  serviceUrls: Readonly<Record<string, string>>;
  privateKey: KeyObject;
  corsOrigins: readonly string[];
  nats: NatsConnection;
  host: string;
  port: number;
  log: Logger;
  timeoutMs?: number;
  live?: LiveSettings;
}): Promise<{ port: number; stop: () => Promise<void> }> {
  const { supergraphSdl, privateKey, corsOrigins, nats, host, port, log } = options;
  await using resources = new AsyncDisposableStack();
  const services = Object.entries(options.serviceUrls).map(([name, url]) =>
    connectService(name, url),
  );
  for (const { pool } of services) resources.defer(() => pool.close());
  const authenticator = startAuthenticator({ nats });
  resources.defer(authenticator.stop);
  const server = await startServer({ supergraphSdl, services, privateKey, log });
  resources.defer(() => server.stop());
  const timeoutMs = options.timeoutMs ?? OPERATION_TIMEOUT_MS;
  const live = startLive({
    ...{ supergraphSdl, nats, log, ...options.live },
    onCallersChange: authenticator.onChange,
    execute: executeWithin(server, timeoutMs),
  });
  const handler = createHandler({
    server,
    live,
    authenticate: authenticator.authenticate,
    corsOrigins,
    log,
    timeoutMs,
  });
  const http = await startHttp({
    host,
    port,
    routes: { ...(await createExplorerRoutes()), '/graphql': handler },
    checks: { broker: () => brokerAnswers(nats), ...readinessOfAll(services, isNeeded) },
    informing: readinessOfAll(services, (name) => !isNeeded(name)),
    log,
  });
  resources.defer(http.stop);
  // before the server, which waits for every answer to end
  resources.defer(live.stop);
  const held = resources.move();
  return { port: http.port, stop: () => held.disposeAsync() };
}

/** Runs operations of streams, each in its time. */
const executeWithin =
  (server: ApolloServer<OperationContext>, timeoutMs: number): LiveOptions['execute'] =>
  (operation, { over, ...context }) => {
    const signal = AbortSignal.any([over, AbortSignal.timeout(timeoutMs)]);
    return execute(server, operation, { ...context, signal });
  };
