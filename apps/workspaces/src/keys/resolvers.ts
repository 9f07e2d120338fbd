import { ApiKeyId, UserId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  checkCursor,
  IdempotencyKey,
  IdPart,
  loadById,
  optional,
  originOf,
  type PageArguments,
  readPage,
  requireRole,
  toConnection,
} from '@manifold/subgraph';
import { z } from 'zod';
import type { Context } from '../loaders.ts';
import type { ApiKey, Db } from '../store.ts';
import { memberIdOf, Name, Order } from '../arguments.ts';
import { createApiKey, noKey, revokeApiKey } from './commands.ts';
import { seesAllKeys } from './rules.ts';
import { type ApiKeyFilter, countApiKeys, listApiKeys } from './store.ts';

const ListArguments = z.object({
  filter: optional(
    z.object({ revoked: optional(z.boolean()), userId: optional(UserId) }),
  ).transform((filter) => filter ?? {}),
  orderBy: Order,
});
const CreateArguments = z.object({
  input: z.object({
    name: Name,
    memberId: optional(z.string()),
    idempotencyKey: IdempotencyKey,
  }),
});
const RevokeArguments = z.object({ input: z.object({ apiKeyId: z.string() }) });

export const createResolvers = ({ db, now }: { db: Db; now: () => Date }) => ({
  Query: {
    apiKeys: async (_: unknown, args: PageArguments, { workspaceId, identity }: Context) => {
      const { filter: asked, orderBy } = ListArguments.parse(args);
      const filter = { ...asked, visibleTo: seesAllKeys(identity) ? undefined : identity.userId };
      const page = checkCursor(readPage(args), [IdPart]);
      const descending = orderBy?.direction !== 'ASC';
      const rows = await withWorkspace(db, workspaceId, (tx) =>
        listApiKeys(tx, workspaceId, { filter, page, descending }),
      );
      return { ...toConnection(rows, page, (row) => [row.id]), filter };
    },
  },
  ApiKeyConnection: {
    totalCount: ({ filter }: { filter: ApiKeyFilter }, _: unknown, { workspaceId }: Context) =>
      withWorkspace(db, workspaceId, (tx) => countApiKeys(tx, workspaceId, filter)),
  },
  Mutation: {
    createApiKey: async (_: unknown, args: unknown, context: Context) => {
      const { identity } = context;
      requireRole(identity, 'OWNER');
      const { memberId, ...input } = CreateArguments.parse(args).input;
      const request = {
        ...input,
        memberId: memberId === undefined ? undefined : memberIdOf(memberId),
      };
      const caller = { origin: originOf(context), identity };
      const { id, secret } = await createApiKey(db, caller, request, now());
      return { apiKey: await context.loaders.apiKeys.load(id), key: secret };
    },
    revokeApiKey: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'OWNER');
      const text = RevokeArguments.parse(args).input.apiKeyId;
      const id = ApiKeyId.safeParse(text);
      if (!id.success) throw noKey(text.slice(0, 64));
      await revokeApiKey(db, originOf(context), id.data, now());
      return { apiKey: await context.loaders.apiKeys.clear(id.data).load(id.data) };
    },
  },
  ApiKey: {
    __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
      loadById(ApiKeyId, id, (known) => loaders.apiKeys.load(known)),
    user: (key: ApiKey, _: unknown, { loaders }: Context) => loaders.users.load(key.user_id),
    createdBy: (key: ApiKey, _: unknown, { loaders }: Context) =>
      loaders.users.load(key.created_by),
    createdAt: (key: ApiKey) => key.created_at,
    revokedAt: (key: ApiKey) => key.revoked_at,
    lastUsedAt: (key: ApiKey) => key.last_used_at,
  },
});
