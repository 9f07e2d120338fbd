import type { ReferralUserId, WorkspaceId } from '@manifold/contracts';
import type { Db, ReferralUser } from '../store.ts';

/** Holds the row until the transaction ends: one decision about a delivery at a time. */
export async function lockUser(
  tx: Db,
  workspaceId: WorkspaceId,
  id: ReferralUserId,
): Promise<ReferralUser | undefined> {
  return tx
    .selectFrom('referral_user')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

type DeliveryColumns =
  | 'delivery_state'
  | 'delivery_reason'
  | 'delivery_fix'
  | 'delivery_settled_at'
  | 'write_request_id'
  | 'delivery_attempt'
  | 'delivery_written'
  | 'delivery_cancelled'
  | 'superseded_request_id'
  | 'mapping_id'
  | 'mapping_version'
  | 'person_pipedrive_id'
  | 'person_url'
  | 'lead_pipedrive_id'
  | 'lead_url';

export async function setDelivery(
  tx: Db,
  user: Pick<ReferralUser, 'workspace_id' | 'id'> & Partial<Pick<ReferralUser, DeliveryColumns>>,
): Promise<void> {
  const { workspace_id, id, ...delivery } = user;
  await tx
    .updateTable('referral_user')
    .set(delivery)
    .where('workspace_id', '=', workspace_id)
    .where('id', '=', id)
    .execute();
}
