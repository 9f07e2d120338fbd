import { brokerAnswers } from '@manifold/messaging';
import { startHttp } from '@manifold/service';
import type { NatsConnection } from '@nats-io/transport-node';
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { startAuthenticator } from './callers/authenticate.ts';
import { createExplorerRoutes } from './explorer/routes.ts';
import { createHandler } from './operations/handler.ts';
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
  const handler = createHandler({
    server,
    authenticate: authenticator.authenticate,
    corsOrigins,
    log,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
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
  const held = resources.move();
  return { port: http.port, stop: () => held.disposeAsync() };
}
