import type { Identity, UserId, WorkspaceId } from '@manifold/contracts';
import type { ApiKey, KeyReach } from '../store.ts';

/** Which of its user's workspaces a key opens: all of them, or only the one it was made in. */
export function opens(
  key: Pick<ApiKey, 'workspace_id' | 'reach'>,
  workspaceId: WorkspaceId,
): boolean {
  switch (key.reach) {
    case 'user':
      return true;
    case 'workspace':
      return key.workspace_id === workspaceId;
  }
}

/**
 * Only a person's own key that opens everything makes another such key, and only for that person.
 * Otherwise an owner could invite somebody, make a key for that person, and walk into the person's
 * other workspaces.
 */
export const reachOfNewKey = (
  callersKey: Pick<ApiKey, 'user_id' | 'reach'>,
  userId: UserId,
): KeyReach =>
  callersKey.reach === 'user' && callersKey.user_id === userId ? 'user' : 'workspace';

/** Who may see the keys of others; everybody sees their own. */
export const seesAllKeys = ({ role }: Pick<Identity, 'role'>): boolean =>
  role === 'ADMIN' || role === 'OWNER';
