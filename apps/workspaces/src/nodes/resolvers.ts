import { ApiKeyId, MemberId, typeOfId, UserId } from '@manifold/contracts';
import { z } from 'zod';
import type { Context } from '../loaders.ts';

// a text that is no id is answered like an id nobody has, however long it is
const Ids = z.object({ ids: z.array(z.string()).max(100) });

/** Things of other services are named by type; their own service says what they hold, or nothing. */
async function findNode(id: string, { loaders, workspaceId }: Context): Promise<object | null> {
  const type = typeOfId(id);
  switch (type) {
    case undefined:
    case 'WebhookReceipt':
    case 'Event':
      return null;
    case 'Workspace':
      return id === workspaceId ? named(type, await loaders.workspace()) : null;
    case 'User':
      return named(type, await loaders.users.load(UserId.parse(id)));
    case 'Member':
      return named(type, await loaders.members.load(MemberId.parse(id)));
    case 'ApiKey':
      return named(type, await loaders.apiKeys.load(ApiKeyId.parse(id)));
    case 'Connection':
    case 'WriteRequest':
    case 'WriteStep':
    case 'ChangeSet':
    case 'Change':
    case 'Overwrite':
    case 'CompletenessCertificate':
    case 'FieldMapping':
    case 'DataSource':
    case 'SyncRun':
    case 'Contact':
    case 'Account':
    case 'Campaign':
    case 'ReferralUser':
    case 'AuditEntry':
      return { __typename: type, id };
  }
}

const named = (type: string, row: object | null | undefined) =>
  row ? { ...row, __typename: type } : null;

export const createResolvers = () => ({
  Query: {
    node: (_: unknown, args: { id: string }, context: Context) => findNode(args.id, context),
    nodes: (_: unknown, args: { ids: string[] }, context: Context) =>
      Promise.all(Ids.parse(args).ids.map((id) => findNode(id, context))),
  },
  Node: { __resolveType: (node: { __typename: string }) => node.__typename },
});
