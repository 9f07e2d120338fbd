import type { Standing } from '../directory/store.ts';
import type { ApiKey } from '../store.ts';

/**
 * Which of its user's workspaces a key opens: the one it was made in, all of them when the user
 * made it, and those where whoever made it could have made it as well. Without this an owner could
 * invite a stranger, make a key for the stranger, and walk into the stranger's own workspaces.
 */
export function opens(
  key: Pick<ApiKey, 'workspace_id' | 'user_id' | 'vouched_by'>,
  standing: Pick<Standing, 'workspace_id' | 'workspace_vouched_by' | 'voucher_role'>,
): boolean {
  return (
    standing.workspace_id === key.workspace_id ||
    key.vouched_by === key.user_id ||
    standing.voucher_role === 'OWNER' ||
    standing.workspace_vouched_by === key.vouched_by
  );
}
