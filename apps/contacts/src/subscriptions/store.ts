import type { ContactId, WorkspaceId } from '@manifold/contracts';
import type { Db, Subscriptions } from '../store.ts';

/** The contact was locked before. */
export async function setSubscriptions(
  tx: Db,
  workspaceId: WorkspaceId,
  contact: { id: ContactId; subscriptions: Subscriptions; now: Date },
): Promise<void> {
  await tx
    .updateTable('contact')
    .set({ subscriptions: JSON.stringify(contact.subscriptions), updated_at: contact.now })
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', contact.id)
    .execute();
}
