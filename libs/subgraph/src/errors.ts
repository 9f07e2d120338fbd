import { unwrapResolverError } from '@apollo/server/errors';
import { Refusal, refusals } from '@manifold/errors';
import type { GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { ZodError } from 'zod';
import { wordsOf } from './issues.ts';

/** Refusals reach the client in full; bugs reach only the log, under the request's correlation id. */
export function toClientError(
  formatted: GraphQLFormattedError,
  error: unknown,
  log: Logger,
): GraphQLFormattedError {
  const cause = unwrapResolverError(error);
  if (cause instanceof Refusal) {
    return {
      ...formatted,
      message: cause.message,
      extensions: { code: refusals[cause.kind].graphqlCode, ...cause.detail },
    };
  }
  if (cause instanceof ZodError) return inputError(formatted, cause);
  if (formatted.extensions?.['code'] !== 'INTERNAL_SERVER_ERROR') {
    return { ...formatted, extensions: { code: formatted.extensions?.['code'] } };
  }
  log.error({ err: cause }, 'unexpected error in a resolver');
  return {
    ...formatted,
    message: 'Internal server error',
    extensions: { code: 'INTERNAL_SERVER_ERROR', reason: 'handler_failed' },
  };
}

/** Every field at fault at once; the values themselves are not repeated. */
function inputError(formatted: GraphQLFormattedError, error: ZodError): GraphQLFormattedError {
  const issues = error.issues.map((issue) => ({
    field: issue.path.join('.'),
    ...wordsOf(issue),
  }));
  return {
    ...formatted,
    message: `Invalid input: ${issues.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join('; ')}`,
    extensions: {
      code: 'BAD_USER_INPUT',
      reason: 'invalid_input',
      ...(issues[0]?.field ? { field: issues[0].field } : {}),
      ...(issues[0] ? { fix: issues[0].fix } : {}),
      issues,
    },
  };
}
