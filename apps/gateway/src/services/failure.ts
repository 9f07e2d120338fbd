import { GraphQLError } from 'graphql';

/** What a client is told when a service is away: which one, and what to do. */
export const serviceUnavailable = (service: string): GraphQLError =>
  new GraphQLError(`The ${service} service is not available`, {
    extensions: {
      code: 'SERVICE_UNAVAILABLE',
      reason: 'service_unavailable',
      service,
      fix: 'Try again in a moment.',
    },
  });
