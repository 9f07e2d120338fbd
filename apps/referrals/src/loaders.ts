import type { CampaignId, ReferralUserId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import DataLoader from 'dataloader';
import { listCampaignsByIds } from './campaigns/store.ts';
import { listUsersByIds } from './people/store.ts';
import type { Campaign, Db, ReferralUser } from './store.ts';

export interface Loaders {
  campaigns: DataLoader<CampaignId, Campaign | null>;
  users: DataLoader<ReferralUserId, ReferralUser | null>;
}

/** One query per kind for everything a request asks, within its workspace. */
export const createLoaders =
  ({ db }: { db: Db }) =>
  ({ workspaceId }: { workspaceId: WorkspaceId }): Loaders => ({
    campaigns: new DataLoader(async (ids) => {
      const found = await withWorkspace(db, workspaceId, (tx) =>
        listCampaignsByIds(tx, workspaceId, ids),
      );
      const byId = new Map(found.map((campaign) => [campaign.id, campaign]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    users: new DataLoader(async (ids) => {
      const found = await withWorkspace(db, workspaceId, (tx) =>
        listUsersByIds(tx, workspaceId, ids),
      );
      const byId = new Map(found.map((user) => [user.id, user]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
  });
