import type { ApiKeyId, MemberId, UserId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createLoader, type RequestContext } from '@manifold/subgraph';
import { seesAllKeys } from './keys/rules.ts';
import { listApiKeysByIds } from './keys/store.ts';
import { type KnownUser, listMembersByIds, listUsersByIds } from './members/store.ts';
import type { ApiKey, Db, Member } from './store.ts';
import { findWorkspace } from './workspaces/store.ts';

/** One look-up per kind and request tick, in the caller's workspace. */
export const createLoaders =
  (db: Db) =>
  ({ workspaceId, identity }: RequestContext) => ({
    users: createLoader<UserId, KnownUser>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listUsersByIds(tx, workspaceId, ids)),
      ({ id }) => id,
    ),
    members: createLoader<MemberId, Member>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listMembersByIds(tx, workspaceId, ids)),
      ({ id }) => id,
    ),
    apiKeys: createLoader<ApiKeyId, ApiKey>(
      async (ids) => {
        const load = (tx: Db) => listApiKeysByIds(tx, workspaceId, ids);
        const keys = await withWorkspace(db, workspaceId, load);
        return seesAllKeys(identity)
          ? keys
          : keys.filter(({ user_id }) => user_id === identity.userId);
      },
      ({ id }) => id,
    ),
    workspace: () => withWorkspace(db, workspaceId, (tx) => findWorkspace(tx, workspaceId)),
  });

export type Loaders = ReturnType<ReturnType<typeof createLoaders>>;
export type Context = RequestContext & { loaders: Loaders };
