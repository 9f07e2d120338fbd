import {
  boundedText,
  IdempotencyKey,
  optional,
  originOf,
  type RequestContext,
  requireRole,
  type Resolvers,
} from '@manifold/subgraph';
import { z } from 'zod';
import { administers } from '../accounts/rules.ts';
import { beginConnection, type OauthDeps } from './beginning.ts';
import { completeConnection } from './completion/commands.ts';

const BeginArguments = z.object({
  input: z.object({
    kind: z.enum(['ORGANIZATION', 'PERSONAL']),
    app: optional(boundedText(32)),
    acceptLimitedVisibility: optional(z.boolean()),
    acceptTerms: optional(boundedText(64)),
    returnUrl: optional(z.url({ protocol: /^https?$/ }).max(2_048)),
    idempotencyKey: IdempotencyKey,
  }),
});

const CompleteArguments = z.object({
  input: z.object({ code: boundedText(128).min(1), idempotencyKey: IdempotencyKey }),
});

export const createOauthResolvers = (deps: OauthDeps): Resolvers => ({
  Query: {
    oauthApps: () =>
      deps.apps.map(({ name, scopes }, index) => ({
        name,
        scopes: scopes ?? null,
        isDefault: index === 0,
      })),
    connectionTerms: () => deps.terms ?? null,
  },
  Mutation: {
    beginConnection: (_: unknown, args: { input: unknown }, context: RequestContext) => {
      const { input } = BeginArguments.parse(args);
      // a personal connection is anybody's own matter; one for the whole workspace is not
      requireRole(context.identity, input.kind === 'ORGANIZATION' ? 'ADMIN' : 'MEMBER');
      const { userId } = context.identity;
      const byAdmin = administers(context.identity.role);
      return beginConnection(deps, input, { ...originOf(context), userId, byAdmin });
    },
    completeConnection: async (_: unknown, args: { input: unknown }, context: RequestContext) => {
      const { input } = CompleteArguments.parse(args);
      requireRole(context.identity, 'MEMBER');
      const { userId, role } = context.identity;
      const asker = { ...originOf(context), userId, byAdmin: administers(role) };
      return { connection: await completeConnection(deps, input, asker) };
    },
  },
});
