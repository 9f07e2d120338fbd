import type { ConnectionId } from '@manifold/contracts';
import type { ChangeSetContext as Context } from '../reading/loaders.ts';
import type { ChangeSet } from '../store.ts';

interface Attribution {
  userId: string;
  connectionId: ConnectionId;
}

/** In whose name a set is written; null: the organization's. */
async function attributionOf(set: ChangeSet, { loaders }: Context): Promise<Attribution | null> {
  const { acting_user_id: userId, acting_connection_id: connectionId } = set;
  if (userId !== null && connectionId !== null) return { userId, connectionId };
  const connection = await loaders.connections.load(set.connection_id);
  return connection?.kind === 'PERSONAL'
    ? { userId: connection.user_id, connectionId: connection.id }
    : null;
}

export const actingFields = {
  attributedTo: (set: ChangeSet, _: unknown, context: Context) => attributionOf(set, context),
};

export const attributionFields = {
  user: ({ userId }: Attribution) => ({ id: userId }),
  connection: ({ connectionId }: Attribution, _: unknown, { loaders }: Context) =>
    loaders.connections.load(connectionId),
};
