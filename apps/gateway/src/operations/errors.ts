import { refusals } from '@manifold/errors';
import type { GraphQLFormattedError } from 'graphql';

/** Codes a client may see: our refusals, and what GraphQL says about the operation itself. */
const known = new Set<unknown>([
  ...Object.values(refusals).map(({ graphqlCode }) => graphqlCode),
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_REQUEST',
]);

const SHOWN = ['reason', 'field', 'fix', 'issues', 'service'] as const;

/** True for whatever is no refusal and nothing GraphQL says about the operation: a bug, then. */
export const isMasked = (code: unknown): boolean => !known.has(code);

/** Expected errors in full, anything else as one sentence; never a stack, an address or a statement. */
export function maskError(formatted: GraphQLFormattedError): GraphQLFormattedError {
  const { message, locations, path, extensions = {} } = formatted;
  const place = { ...(locations && { locations }), ...(path && { path }) };
  const code = extensions['code'];
  if (isMasked(code)) {
    return {
      message: 'Internal server error',
      ...place,
      extensions: { code: 'INTERNAL_SERVER_ERROR', reason: 'handler_failed' },
    };
  }
  const shown = SHOWN.flatMap((key) => {
    const value =
      key === 'service' ? (extensions['service'] ?? extensions['serviceName']) : extensions[key];
    return value === undefined ? [] : [[key, value]];
  });
  const reason = { reason: 'invalid_input' };
  return { message, ...place, extensions: { code, ...reason, ...Object.fromEntries(shown) } };
}
