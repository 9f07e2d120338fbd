import { readFileSync } from 'node:fs';
import type { KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApolloServer, HeaderMap } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type Actor, type Identity, PipedriveObject, type WorkspaceId } from '@manifold/contracts';
import { Refusal, refusals } from '@manifold/errors';
import { type HttpHandler, readBody, sendJson } from '@manifold/service';
import { parse } from 'graphql';
import { DateTimeISOResolver } from 'graphql-scalars';
import type { Logger } from 'pino';
import { toClientError } from './errors.ts';
import { createSeen, IDENTITY_HEADER, verifyIdentity } from './identity.ts';
import { refuseWrongVariables } from './variables.ts';

const MAX_BODY_BYTES = 1024 * 1024;

/** What every resolver knows about the request it serves. */
export interface RequestContext {
  identity: Identity;
  workspaceId: WorkspaceId;
  correlationId: string;
  /** The caller, as the actor of what follows. */
  actor: Actor;
}

type Resolver = (...args: never[]) => unknown;
/** Type → field → resolver, as a noun's `resolvers.ts` returns it. */
export type Resolvers = Record<string, Record<string, Resolver>>;

/** What a subgraph is made of. */
export interface SubgraphOptions<Loaders extends object> {
  service: string;
  /** One per noun; the common part is added. */
  schemaFiles: readonly URL[];
  resolvers: readonly Resolvers[];
  /** Made anew for each request. */
  loaders: (context: RequestContext) => Loaders;
  /** Of the gateway. */
  publicKey: KeyObject;
  log: Logger;
}

/**
 * Turns schema files and resolvers into a handler for `POST /graphql` that accepts only requests
 * signed by the gateway for this service.
 */
export async function createSubgraph<Loaders extends object>(
  options: SubgraphOptions<Loaders>,
): Promise<{ handler: HttpHandler; stop: () => Promise<void> }> {
  const { service, publicKey, log } = options;
  const server = new ApolloServer<RequestContext & { loaders: Loaders }>({
    schema: buildSubgraphSchema([
      {
        typeDefs: parse(readSchema(options.schemaFiles)),
        resolvers: mergeResolvers(options.resolvers) as never,
      },
    ]),
    plugins: [ApolloServerPluginInlineTraceDisabled(), refuseWrongVariables],
    stopOnTerminationSignals: false, // runService owns shutdown
    includeStacktraceInErrorResponses: false,
    introspection: true, // reached only through the gateway's signature
    csrfPrevention: false,
    formatError: (formatted, error) => toClientError(formatted, error, log),
  });
  await server.start();
  const seen = createSeen();
  const handler: HttpHandler = async (request, response) => {
    if (request.method !== 'POST') return sendJson(response, 405, { error: 'Use POST' });
    try {
      const body = await readBody(request, MAX_BODY_BYTES);
      const token = headerOf(request, IDENTITY_HEADER);
      const context = contextOf(
        await verifyIdentity(token, { publicKey, audience: service, body, seen }),
      );
      const contextValue = { ...context, loaders: options.loaders(context) };
      await answer(server, { body, response, contextValue });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      sendRefusal(response, error);
    }
  };
  return { handler, stop: () => server.stop() };
}

/** A refusal before GraphQL begins: no identity, or no readable body. */
function sendRefusal(response: ServerResponse, { kind, message, detail }: Refusal): void {
  sendJson(response, kind === 'unauthenticated' ? 401 : 400, {
    errors: [{ message, extensions: { code: refusals[kind].graphqlCode, ...detail } }],
  });
}

/** The context resolvers get for a verified identity. */
const contextOf = (signed: { identity: Identity; correlationId: string }): RequestContext => ({
  identity: signed.identity,
  workspaceId: signed.identity.workspaceId,
  correlationId: signed.correlationId,
  actor: { kind: 'user', id: signed.identity.userId, apiKeyId: signed.identity.apiKeyId },
});

const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

async function answer<Context extends RequestContext>(
  server: ApolloServer<Context>,
  call: { body: Buffer; response: ServerResponse; contextValue: Context },
): Promise<void> {
  const { response, contextValue } = call;
  let body: unknown;
  try {
    body = JSON.parse(call.body.toString('utf8'));
  } catch {
    throw new Refusal('invalid', 'The request body is not JSON', { reason: 'invalid_input' });
  }
  const result = await server.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: 'POST',
      headers: new HeaderMap([['content-type', 'application/json']]),
      search: '',
      body,
    },
    context: async () => contextValue,
  });
  response.writeHead(result.status ?? 200, Object.fromEntries(result.headers));
  if (result.body.kind === 'complete') response.end(result.body.string);
  else response.end();
}

/** What every subgraph's schema begins with: federation, scalars, `Node`, `PageInfo`, `Money`, shared enums. */
const COMMON_SCHEMA = new URL('./common.graphql', import.meta.url);

/** How a subgraph says which of its queries can be followed: the directive `@follows`. */
const LIVE_SCHEMA = new URL('./live.graphql', import.meta.url);

/** The schema of a subgraph: the common parts, then its nouns' files, one after the other. */
export const readSchema = (files: readonly URL[]): string =>
  [COMMON_SCHEMA, LIVE_SCHEMA, ...files].map((file) => readFileSync(file, 'utf8')).join('\n');

/** `PERSON` in the graph is `person` inside, as Pipedrive's webhooks spell it. */
const pipedriveObjects = Object.fromEntries(
  PipedriveObject.options.map((object) => [object.toUpperCase(), object]),
);

/** Nouns' resolvers side by side; two nouns may add fields to one type, never the same field. */
export function mergeResolvers(parts: readonly Resolvers[]): Record<string, unknown> {
  const merged: Record<string, Record<string, unknown>> = {};
  for (const [type, fields] of parts.flatMap(Object.entries)) {
    for (const [field, resolver] of Object.entries(fields)) {
      if (merged[type]?.[field]) throw new Error(`${type}.${field} is resolved twice`);
      merged[type] = { ...merged[type], [field]: resolver };
    }
  }
  return { ...merged, DateTime: DateTimeISOResolver, PipedriveObject: pipedriveObjects };
}
