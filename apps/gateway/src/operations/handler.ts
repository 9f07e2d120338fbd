import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApolloServer } from '@apollo/server';
import type { Identity } from '@manifold/contracts';
import { Refusal, refusals } from '@manifold/errors';
import { type HttpHandler, sendJson } from '@manifold/service';
import type { Logger } from 'pino';
import type { Credentials } from '../callers/authenticate.ts';
import { correlationIdOf } from '../callers/correlation.ts';
import { answerCors } from '../callers/cors.ts';
import type { Live } from '../live/start.ts';
import type { OperationContext } from './context.ts';
import { execute } from './execute.ts';
import { readOperation, readUrlOperation } from './read-operation.ts';

/** How long one operation may take. */
export const OPERATION_TIMEOUT_MS = 15_000;

interface Gate {
  server: ApolloServer<OperationContext>;
  live: Live;
  authenticate: (credentials: Credentials) => Promise<Identity>;
  corsOrigins: readonly string[];
  log: Logger;
  timeoutMs: number;
}

/** Answers `/graphql`: who is it, what is asked, and only then any work. */
export function createHandler(gate: Gate): HttpHandler {
  return async (request, response) => {
    const correlationId = correlationIdOf(headerOf(request, 'x-correlation-id'));
    response.setHeader('x-correlation-id', correlationId);
    response.setHeader('cache-control', 'no-store');
    if (answerCors(request, response, gate.corsOrigins)) return;
    try {
      const wants = wantedForms(request);
      if (request.method !== 'POST' && !(request.method === 'GET' && wants.stream)) throw usePost();
      const credentials = {
        authorization: request.headers.authorization,
        workspace: headerOf(request, 'x-workspace'),
        address: request.socket.remoteAddress,
      };
      const identify = () => gate.authenticate(credentials);
      const caller = await identify();
      const operation =
        request.method === 'GET' ? readUrlOperation(request) : await readOperation(request);
      const subscription = wants.stream ? gate.live.read(operation) : undefined;
      if (request.method === 'GET' && !subscription) throw usePost();
      if (subscription || !wants.json) {
        const who = { caller, correlationId, identify };
        return await gate.live.answer({ response, operation, subscription, ...who });
      }
      const signal = AbortSignal.timeout(gate.timeoutMs);
      const context = { caller, correlationId, signal };
      const { status, headers, json } = await execute(gate.server, operation, context);
      response.writeHead(status, headers);
      response.end(json);
    } catch (error) {
      refuse(response, correlationId, error, gate.log);
    }
  };
}

/** In which forms a client takes the answer, as its header `Accept` says. */
function wantedForms({ headers: { accept = '' } }: IncomingMessage) {
  const stream = /text\/event-stream/i.test(accept);
  return { stream, json: !stream || /json|\*\/\*/i.test(accept) };
}

/** A refusal before the operation began, in the form of a GraphQL answer. */
function refuse(
  response: ServerResponse,
  correlationId: string,
  error: unknown,
  log: Logger,
): void {
  const refusal = error instanceof Refusal ? error : broken();
  if (refusal !== error) log.error({ err: error, correlationId }, 'request failed');
  if (response.headersSent) return void response.destroy();
  const status = statusOf(refusal);
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (status === 405) response.setHeader('allow', 'POST');
  // a body that was not read is not waited for
  response.setHeader('connection', 'close');
  sendJson(response, status, {
    errors: [
      {
        message: refusal.message,
        extensions: {
          code: refusal === error ? refusals[refusal.kind].graphqlCode : 'INTERNAL_SERVER_ERROR',
          ...refusal.detail,
          correlationId,
        },
      },
    ],
  });
}

function statusOf({ kind, detail }: Refusal): number {
  switch (kind) {
    case 'unauthenticated':
      return 401;
    case 'forbidden':
      return 403;
    case 'not_found':
      return 404;
    case 'conflict':
      return 409;
    case 'precondition':
      return 412;
    case 'limited':
      return 429;
    case 'unavailable':
      return 503;
    case 'invalid':
      if (detail.field === 'method') return 405;
      return detail.reason === 'too_many_items' ? 413 : 400;
  }
}

const usePost = (): Refusal =>
  new Refusal('invalid', 'Operations are sent by POST', {
    reason: 'invalid_input',
    field: 'method',
    fix: 'Send `POST /graphql` with `{"query": "…"}` as JSON.',
  });

const broken = (): Refusal =>
  new Refusal('unavailable', 'Internal server error', { reason: 'handler_failed' });

const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};
