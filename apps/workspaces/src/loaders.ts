import type { ApiKeyId, MemberId, UserId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { RequestContext } from '@manifold/subgraph';
import DataLoader from 'dataloader';
import { listApiKeysByIds } from './keys/store.ts';
import { type KnownUser, listMembersByIds, listUsersByIds } from './members/store.ts';
import type { ApiKey, Db, Member } from './store.ts';
import { findWorkspace } from './workspaces/store.ts';

/** One look-up per kind and request tick, in the caller's workspace. */
export const createLoaders =
  (db: Db) =>
  ({ workspaceId }: RequestContext) => ({
    users: loaderOf<UserId, KnownUser>((ids) =>
      withWorkspace(db, workspaceId, (tx) => listUsersByIds(tx, workspaceId, ids)),
    ),
    members: loaderOf<MemberId, Member>((ids) =>
      withWorkspace(db, workspaceId, (tx) => listMembersByIds(tx, workspaceId, ids)),
    ),
    apiKeys: loaderOf<ApiKeyId, ApiKey>((ids) =>
      withWorkspace(db, workspaceId, (tx) => listApiKeysByIds(tx, workspaceId, ids)),
    ),
    workspace: () => withWorkspace(db, workspaceId, (tx) => findWorkspace(tx, workspaceId)),
  });

export type Loaders = ReturnType<ReturnType<typeof createLoaders>>;
export type Context = RequestContext & { loaders: Loaders };

const loaderOf = <Id extends string, Row extends { id: Id }>(
  list: (ids: readonly Id[]) => Promise<Row[]>,
) =>
  new DataLoader<Id, Row | null>(async (ids) => {
    const byId = new Map((await list(ids)).map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) ?? null);
  });
