import type { GraphQLDataSource } from '@apollo/gateway';
import { CORRELATION_HEADER, IDENTITY_HEADER, signIdentity } from '@manifold/subgraph';
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { type Dispatcher, Pool } from 'undici';
import { z } from 'zod';
import type { OperationContext } from '../operations/context.ts';
import { serviceUnavailable } from './failure.ts';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
// longer than a service waits for Pipedrive (10 s), so that its own answer arrives
const ANSWER_TIMEOUT_MS = 13_000;

/** What a service may answer; anything else is a failure of that service. */
const Answer = z
  .object({
    data: z.record(z.string(), z.unknown()).nullable().exactOptional(),
    errors: z
      .array(
        z.object({
          message: z.string(),
          path: z.array(z.union([z.string(), z.number()])).exactOptional(),
          extensions: z.record(z.string(), z.unknown()).exactOptional(),
        }),
      )
      .exactOptional(),
  })
  .refine(({ data, errors }) => data !== undefined || errors !== undefined);

export interface Service {
  name: string;
  pool: Pool;
}

/** Connections to one service: bounded in number, time and idleness. */
export const connectService = (name: string, url: string): Service => ({
  name,
  pool: new Pool(new URL(url).origin, {
    connections: 64,
    pipelining: 1,
    connect: { timeout: 2_000 },
    keepAliveTimeout: 30_000,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  }),
});

/**
 * Sends one part of an operation to its service, signed for that service and that body. Whatever
 * goes wrong on the way is told by the service's name, never by its address.
 */
export function createDataSource(
  { name, pool }: Service,
  { privateKey, log }: { privateKey: KeyObject; log: Logger },
): GraphQLDataSource<OperationContext> {
  return {
    process: async (options) => {
      // a static supergraph asks services for nothing but operations
      if (!('incomingRequestContext' in options)) return {};
      const { caller, correlationId, signal } = options.context;
      const { query, variables, operationName } = options.request;
      const body = JSON.stringify({ query, variables, operationName });
      try {
        const token = await signIdentity(caller, {
          privateKey,
          audience: name,
          body,
          correlationId,
        });
        const response = await pool.request({
          path: '/graphql',
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            [IDENTITY_HEADER]: token,
            [CORRELATION_HEADER]: correlationId,
          },
          body,
          signal,
        });
        return Answer.parse(JSON.parse(await readAnswer(response)));
      } catch (error) {
        log.warn({ service: name, correlationId, cause: kindOf(error) }, 'service did not answer');
        throw serviceUnavailable(name);
      }
    },
  };
}

async function readAnswer({ body }: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('Answer too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The kind of a failure, without addresses. */
const kindOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
};
