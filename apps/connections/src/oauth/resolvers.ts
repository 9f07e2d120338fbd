import {
  IdempotencyKey,
  optional,
  originOf,
  type RequestContext,
  requireRole,
  type Resolvers,
} from '@manifold/subgraph';
import { z } from 'zod';
import { beginConnection, type OauthDeps } from './beginning.ts';

const BeginArguments = z.object({
  input: z.object({
    kind: z.enum(['ORGANIZATION', 'PERSONAL']),
    returnUrl: optional(z.url({ protocol: /^https?$/ }).max(2_048)),
    idempotencyKey: IdempotencyKey,
  }),
});

export const createOauthResolvers = (deps: OauthDeps): Resolvers => ({
  Mutation: {
    beginConnection: (_: unknown, args: { input: unknown }, context: RequestContext) => {
      const { input } = BeginArguments.parse(args);
      // a personal connection is anybody's own matter; one for the whole workspace is not
      requireRole(context.identity, input.kind === 'ORGANIZATION' ? 'ADMIN' : 'MEMBER');
      const { userId } = context.identity;
      return beginConnection(deps, input, { ...originOf(context), userId });
    },
  },
});
