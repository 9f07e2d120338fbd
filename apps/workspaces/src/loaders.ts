import type { ApiKeyId, MemberId, UserId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createLoader, type RequestContext } from '@manifold/subgraph';
import { listApiKeysByIds } from './keys/store.ts';
import { type KnownUser, listMembersByIds, listUsersByIds } from './members/store.ts';
import type { ApiKey, Db, Member } from './store.ts';
import { findWorkspace } from './workspaces/store.ts';

/** One look-up per kind and request tick, in the caller's workspace. */
export const createLoaders =
  (db: Db) =>
  ({ workspaceId }: RequestContext) => ({
    users: createLoader<UserId, KnownUser>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listUsersByIds(tx, workspaceId, ids)),
      ({ id }) => id,
    ),
    members: createLoader<MemberId, Member>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listMembersByIds(tx, workspaceId, ids)),
      ({ id }) => id,
    ),
    apiKeys: createLoader<ApiKeyId, ApiKey>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listApiKeysByIds(tx, workspaceId, ids)),
      ({ id }) => id,
    ),
    workspace: () => withWorkspace(db, workspaceId, (tx) => findWorkspace(tx, workspaceId)),
  });

export type Loaders = ReturnType<ReturnType<typeof createLoaders>>;
export type Context = RequestContext & { loaders: Loaders };
