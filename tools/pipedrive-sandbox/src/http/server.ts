import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { answerControl } from '../control/control.ts';
import type { Fault } from '../faults/faults.ts';
import { decideConsent, showConsent } from '../oauth/authorize.ts';
import { answerRevoke, answerToken } from '../oauth/token.ts';
import { showPage } from '../web/pages.ts';
import type { World } from '../world.ts';
import { answerApi, type Note, overLimit } from './api.ts';
import { type Incoming, readIncoming } from './incoming.ts';
import { notFound, Problem, refused } from './problem.ts';
import { json, problemReply, type Reply } from './reply.ts';

/** One server for the API, OAuth, the control API, the pages of records and `/readyz`. */
export function createSandboxServer(world: World, log: (line: string) => void): Server {
  const server = createServer((message, response) => {
    serve(message, response, world).catch((error: unknown) => {
      // messages of unexpected errors never hold request data: those come from SQLite and from this code
      log(`${message.method} failed: ${error instanceof Error ? error.stack : 'unknown'}`);
      if (!response.headersSent) send(response, internalError());
    });
  });
  // longer than clients keep idle connections, so that none is closed under a request
  server.keepAliveTimeout = 65_000;
  return server;
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  world: World,
): Promise<void> {
  const incoming = await readIncoming(message).catch((error: unknown) => {
    if (error instanceof Problem) return error;
    throw error;
  });
  if (incoming instanceof Problem) return send(response, problemReply(incoming));
  if (incoming.path === '/readyz') return send(response, json(200, { ready: true }));
  if (incoming.path.startsWith('/control'))
    return send(response, await settled(() => answerControl(incoming, world)));
  const page = showPage(incoming, world);
  if (page !== undefined) return send(response, page);

  const note: Note = { operationId: null, price: 0, credential: 'none' };
  const faults = world.faults.take(incoming.method, incoming.path);
  const late = faults.find(({ kind }) => kind === 'late-commit');
  if (late !== undefined) response.destroy();
  if (late !== undefined && !(await world.clock.pause(late.ms))) return;
  const reply = await answerWithFaults(incoming, { world, note, faults });
  world.ledger.enter({
    at: world.now().toISOString(),
    method: incoming.method,
    path: incoming.path,
    ...note,
    status: late === undefined ? (reply?.status ?? null) : null,
  });
  if (late !== undefined) return;
  if (reply === undefined) response.destroy();
  else send(response, reply);
}

/** undefined is a connection to be cut. */
async function answerWithFaults(
  incoming: Incoming,
  { world, note, faults }: { world: World; note: Note; faults: Fault[] },
): Promise<Reply | undefined> {
  const struck = (kind: Fault['kind']) => faults.some((fault) => fault.kind === kind);
  for (const fault of faults)
    if (fault.kind === 'latency' && !(await world.clock.pause(fault.ms))) return undefined;
  if (struck('cut-before')) return undefined;
  if (struck('429')) {
    const headers = { 'x-ratelimit-limit': '80', 'x-ratelimit-remaining': '0' };
    return { ...overLimit(), headers: { ...headers, 'x-ratelimit-reset': '1' } };
  }
  if (struck('500')) return internalError();
  const reply = await settled(() => answer(incoming, world, note));
  return struck('cut-after') ? undefined : reply;
}

async function settled(work: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem) return problemReply(error);
    throw error;
  }
}

function answer(incoming: Incoming, world: World, note: Note): Reply | Promise<Reply> {
  const { method, path, query, text, contentType, headers } = incoming;
  if (!path.startsWith('/oauth/')) return answerApi(incoming, world, note);
  const tokenRequest = () => ({
    contentType,
    authorization: headers.authorization,
    form: new URLSearchParams(text),
  });
  switch (`${method} ${path}`) {
    case 'GET /oauth/authorize':
      return showConsent(query, world);
    case 'POST /oauth/authorize':
      return decideConsent(new URLSearchParams(text), world);
    case 'POST /oauth/token':
      return answerToken(tokenRequest(), world);
    case 'POST /oauth/revoke':
      return answerRevoke(tokenRequest(), world);
    default:
      throw notFound('Unknown endpoint');
  }
}

function internalError(): Reply {
  return problemReply(refused(500, 'Internal Server Error', { code: 'ERR_UNKNOWN' }));
}

function send(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    // an answer without content has no length either
    ...(reply.status === 204 ? {} : { 'content-length': Buffer.byteLength(reply.body) }),
    'x-correlation-id': randomUUID(),
    ...reply.headers,
  });
  response.end(reply.body);
}
