import type { UserId, WorkspaceId } from '@manifold/contracts';
import type { Me } from '@manifold/pipedrive';
import type { Tx } from '../../store.ts';
import type { Connection } from '../tables.ts';
import { takeSwitchedOff } from './store.ts';

/** What decides about a connection that is made again. */
export type Former = Pick<Connection, 'status' | 'disabled_by'>;

interface Made {
  workspaceId: WorkspaceId;
  userId: UserId;
  kind: Connection['kind'];
  me: Pick<Me, 'id' | 'companyId'>;
}

/** What its owner removed while another had switched it off; undefined when there is none. */
export async function takeRemoved(
  tx: Tx,
  { workspaceId, userId, kind, me }: Made,
): Promise<Former | undefined> {
  if (kind !== 'PERSONAL') return undefined;
  const taken = await takeSwitchedOff(tx, {
    workspace_id: workspaceId,
    company_id: me.companyId,
    pipedrive_user_id: me.id,
    user_id: userId,
  });
  return taken && { status: 'DISABLED', disabled_by: taken.disabled_by };
}
