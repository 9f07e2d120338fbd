import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { Refusal } from '@manifold/errors';

export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void> | void;

/** One thing a service needs in order to work; answers true when it is there. */
export type ReadinessCheck = () => Promise<boolean>;

/**
 * Starts a service's one HTTP server. `/healthz` says the process lives; `/readyz` runs every check
 * and answers 503 with the names of those that fail; what `informing` checks find away is told and
 * changes nothing. Routes match by exact path or, when they end
 * in `/`, by prefix. Slow clients are cut after 30 s.
 */
export async function startHttp(options: {
  host: string;
  port: number;
  routes: Readonly<Record<string, HttpHandler>>;
  checks: Readonly<Record<string, ReadinessCheck>>;
  informing?: Readonly<Record<string, ReadinessCheck>>;
  log: Logger;
}): Promise<{ port: number; stop: () => Promise<void> }> {
  const { host, port, routes, checks, informing = {}, log } = options;
  const all: Readonly<Record<string, HttpHandler>> = {
    ...routes,
    '/healthz': (_, response) => sendJson(response, 200, { status: 'alive' }),
    '/readyz': (_, response) => sendReadiness(response, checks, informing),
  };
  const limits = { requestTimeout: 30_000, headersTimeout: 10_000 };
  const server = createServer(limits, (request, response) => void serve(request, response));
  const serve: HttpHandler = async (request, response) => {
    const route = routeOf(Object.keys(all), pathOf(request));
    // written to after its client has gone
    response.on('error', (error) => log.debug({ err: error, route }, 'response not sent'));
    try {
      if (route === undefined) sendJson(response, 404, { error: 'Not found' });
      else await all[route]?.(request, response);
    } catch (error) {
      // the route, not the path: a path can hold a secret
      log.error({ err: error, route }, 'request failed');
      if (!response.headersSent) sendJson(response, 500, { error: 'Internal server error' });
      else response.destroy();
    }
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((error: unknown) => {
    throw new Error(`Port ${port} on ${host} could not be opened`, { cause: error });
  });
  // without a listener the next one, as when there are no more file handles, would end the process
  server.on('error', (error) => log.error({ err: error }, 'server failed'));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    log.debug({ reason: error.code }, 'unreadable request');
    refuseUnreadable(socket, error.code);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 3_000).unref();
      }),
  };
}

const UNREADABLE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Answers what is no HTTP, where there is still somebody to answer, and hangs up. */
function refuseUnreadable(socket: Duplex, code: string | undefined): void {
  if (!socket.writable || code === 'ECONNRESET') return void socket.destroy();
  const status = UNREADABLE[code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}

/** The path as it was sent; anything a client can send is one. */
const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] ?? '/';

const routeOf = (routes: readonly string[], path: string): string | undefined =>
  routes.find((route) => route === path) ??
  routes.find((route) => route.length > 1 && route.endsWith('/') && path.startsWith(route));

async function sendReadiness(
  response: ServerResponse,
  checks: Readonly<Record<string, ReadinessCheck>>,
  informing: Readonly<Record<string, ReadinessCheck>>,
): Promise<void> {
  const [missing, away] = await Promise.all([listFailing(checks), listFailing(informing)]);
  sendJson(response, missing.length === 0 ? 200 : 503, {
    status: missing.length === 0 ? 'ready' : 'not ready',
    missing,
    ...(away.length === 0 ? {} : { away }),
  });
}

async function listFailing(checks: Readonly<Record<string, ReadinessCheck>>): Promise<string[]> {
  const results = await Promise.all(
    Object.entries(checks).map(
      async ([name, check]) => [name, await check().catch(() => false)] as const,
    ),
  );
  return results.filter(([, ready]) => !ready).map(([name]) => name);
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

/**
 * Reads a request body as bytes; refuses more than `maxBytes` without keeping it. The request stays
 * open, so that the refusal can be answered.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tooLarge = (maxBytes: number): Refusal =>
  new Refusal('invalid', `The request body is larger than ${maxBytes} bytes`, {
    reason: 'too_many_items',
    fix: 'Send less at once.',
  });
