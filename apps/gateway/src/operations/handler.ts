import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { Identity } from '@manifold/contracts';
import { Refusal, refusals } from '@manifold/errors';
import { type HttpHandler, sendJson } from '@manifold/service';
import type { Logger } from 'pino';
import type { Credentials } from '../callers/authenticate.ts';
import { correlationIdOf } from '../callers/correlation.ts';
import { answerCors } from '../callers/cors.ts';
import type { OperationContext } from './context.ts';
import { type Operation, readOperation } from './read-operation.ts';

const OPERATION_TIMEOUT_MS = 15_000;

interface Gate {
  server: ApolloServer<OperationContext>;
  authenticate: (credentials: Credentials) => Promise<Identity>;
  corsOrigins: readonly string[];
  log: Logger;
  timeoutMs?: number;
}

/** Answers `POST /graphql`: who is it, what is asked, and only then any work. */
export function createHandler(gate: Gate): HttpHandler {
  return async (request, response) => {
    const correlationId = correlationIdOf(headerOf(request, 'x-correlation-id'));
    response.setHeader('x-correlation-id', correlationId);
    response.setHeader('cache-control', 'no-store');
    if (answerCors(request, response, gate.corsOrigins)) return;
    try {
      if (request.method !== 'POST') throw usePost();
      const caller = await gate.authenticate({
        authorization: request.headers.authorization,
        workspace: headerOf(request, 'x-workspace'),
        address: request.socket.remoteAddress,
      });
      const operation = await readOperation(request);
      const signal = AbortSignal.timeout(gate.timeoutMs ?? OPERATION_TIMEOUT_MS);
      await answer(gate.server, operation, {
        response,
        context: { caller, correlationId, signal },
      });
    } catch (error) {
      refuse(response, correlationId, error, gate.log);
    }
  };
}

async function answer(
  server: ApolloServer<OperationContext>,
  body: Operation,
  { response, context }: { response: ServerResponse; context: OperationContext },
): Promise<void> {
  const result = await server.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: 'POST',
      headers: new HeaderMap([['content-type', 'application/json']]),
      search: '',
      body,
    },
    context: async () => context,
  });
  response.writeHead(result.status ?? 200, Object.fromEntries(result.headers));
  response.end(result.body.kind === 'complete' ? result.body.string : undefined);
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
