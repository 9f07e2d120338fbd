import { unwrapResolverError } from '@apollo/server/errors';
import { Refusal, refusals } from '@manifold/errors';
import type { GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { ZodError } from 'zod';
import { type IssueWords, wordsOf } from './issues.ts';

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
  if (cause instanceof ZodError) return { ...formatted, ...inputError(cause) };
  if (formatted.extensions?.['code'] !== 'INTERNAL_SERVER_ERROR') {
    return { ...formatted, extensions: shown(formatted.extensions) };
  }
  log.error({ err: cause }, 'unexpected error in a resolver');
  return {
    ...formatted,
    message: 'Internal server error',
    extensions: { code: 'INTERNAL_SERVER_ERROR', reason: 'handler_failed' },
  };
}

/** What is told of an error of GraphQL itself, or of the variables. */
const shown = (extensions: GraphQLFormattedError['extensions'] = {}) =>
  Object.fromEntries(
    ['code', 'reason', 'field', 'fix', 'issues'].flatMap((key) =>
      key in extensions ? [[key, extensions[key]]] : [],
    ),
  );

/** A part of the input that is wrong; '' for all of it. */
export interface InputIssue extends IssueWords {
  field: string;
}

/** Every field at fault at once; the values themselves are not repeated. */
const inputError = (error: ZodError) =>
  errorOf(error.issues.map((issue) => ({ field: issue.path.join('.'), ...wordsOf(issue) })));

/** What a client is told of wrong input: all of it in words, the first at fault to act upon. */
export function errorOf(issues: readonly InputIssue[]) {
  const [first] = issues;
  return {
    message: `Invalid input: ${issues.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join('; ')}`,
    extensions: {
      code: refusals.invalid.graphqlCode,
      reason: 'invalid_input',
      ...(first?.field ? { field: first.field } : {}),
      ...(first ? { fix: first.fix } : {}),
      issues,
    },
  };
}
