import { type RequestContext, requireRole, type Resolvers } from '@manifold/subgraph';
import { z } from 'zod';
import { beginConnection, type OauthDeps } from './beginning.ts';

const BeginInput = z.object({
  kind: z.enum(['ORGANIZATION', 'PERSONAL']),
  returnUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .nullish()
    .transform((url) => url ?? undefined),
  idempotencyKey: z
    .string()
    .min(1)
    .max(128)
    .nullish()
    .transform((key) => key ?? undefined),
});

export const createOauthResolvers = (deps: OauthDeps): Resolvers => ({
  Mutation: {
    beginConnection: (_: unknown, args: { input: unknown }, context: RequestContext) => {
      const input = BeginInput.parse(args.input);
      // a personal connection is anybody's own matter; one for the whole workspace is not
      requireRole(context.identity, input.kind === 'ORGANIZATION' ? 'ADMIN' : 'MEMBER');
      const { workspaceId, actor, correlationId } = context;
      const { userId } = context.identity;
      return beginConnection(deps, input, { workspaceId, actor, correlationId, userId });
    },
  },
});
