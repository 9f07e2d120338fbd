import type { ApolloServerPlugin } from '@apollo/server';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import type { OperationContext } from './context.ts';
import { isMasked } from './errors.ts';

/**
 * Logs exactly what is masked, gives every error the correlation id to ask about, and keeps to
 * ourselves how the gateway filled in for a service that was away.
 */
export const reportErrors = (log: Logger): ApolloServerPlugin<OperationContext> => ({
  unexpectedErrorProcessingRequest: async ({ requestContext, error }) => {
    const { correlationId } = requestContext.contextValue;
    log.error({ err: error, correlationId }, 'operation failed');
  },
  requestDidStart: async () => ({
    didEncounterErrors: async ({ errors, contextValue: { correlationId } }) => {
      for (const error of errors) {
        if (!isMasked(error.extensions['code'])) continue;
        log.error({ ...describeFailure(error), correlationId }, 'operation failed');
      }
    },
    willSendResponse: async ({ response, contextValue: { correlationId } }) => {
      if (response.body.kind !== 'single') return;
      const { singleResult } = response.body;
      delete singleResult.extensions?.['valueCompletion'];
      if (Object.keys(singleResult.extensions ?? {}).length === 0) delete singleResult.extensions;
      if (!singleResult.errors) return;
      singleResult.errors = singleResult.errors.map((error) => ({
        ...error,
        extensions: { ...error.extensions, correlationId },
      }));
    },
  }),
});

/** Where it failed and how; of GraphQL's own errors not the message, which may quote a value. */
function describeFailure({ extensions, path, originalError }: GraphQLError) {
  // a service's error arrives as plain data: the service has logged the rest
  const thrown: unknown = originalError;
  const err = thrown instanceof Error && !(thrown instanceof GraphQLError) ? thrown : undefined;
  return {
    failure: {
      kind: err?.name ?? 'GraphQLError',
      code: extensions['code'] ?? 'INTERNAL_SERVER_ERROR',
      service: extensions['serviceName'],
      path: path?.join('.'),
    },
    ...(err && { err }),
  };
}
