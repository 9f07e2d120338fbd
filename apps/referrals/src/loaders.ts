import type { CampaignId, ReferralUserId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createLoader, type RequestContext } from '@manifold/subgraph';
import { listCampaignsByIds } from './campaigns/store.ts';
import { listUsersByIds } from './people/store.ts';
import type { Campaign, Db, ReferralUser } from './store.ts';

/** One query per kind for everything a request asks, within its workspace. */
export const createLoaders =
  ({ db }: { db: Db }) =>
  ({ workspaceId }: Pick<RequestContext, 'workspaceId'>) => ({
    campaigns: createLoader<CampaignId, Campaign>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listCampaignsByIds(tx, workspaceId, ids)),
      ({ id }) => id,
    ),
    users: createLoader<ReferralUserId, ReferralUser>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listUsersByIds(tx, workspaceId, ids)),
      ({ id }) => id,
    ),
  });

export type Loaders = ReturnType<ReturnType<typeof createLoaders>>;
