import type { ChangeSetId, ConnectionId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import type { Db } from '../../store.ts';

/** Sets that are written through a person's own connection and have not ended, held until the transaction ends. */
export async function lockSetsActing(tx: Db, connectionId: ConnectionId): Promise<ChangeSetId[]> {
  const rows = await tx
    .selectFrom('change_set')
    .select('id')
    .where(ofThisWorkspace)
    .where('acting_connection_id', '=', connectionId)
    .where('state', 'in', ['awaiting_approval', 'applying', 'paused', 'cancelling'])
    // in one order, so that two who take them never wait for each other
    .orderBy('id')
    .forUpdate()
    .execute();
  return rows.map(({ id }) => id);
}
