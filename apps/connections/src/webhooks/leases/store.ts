import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';

export interface LeasedConnection {
  workspace_id: WorkspaceId;
  id: ConnectionId;
}

/**
 * Takes the one place of whoever changes a connection's subscription, by the database's own clock;
 * false while somebody else has it.
 */
export async function takeLease(
  tx: Db,
  { workspace_id, id }: LeasedConnection,
  { holder, seconds }: { holder: string; seconds: number },
): Promise<boolean> {
  const until = sql<Date>`clock_timestamp() + make_interval(secs => ${seconds})`;
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('webhook_lease')
    .values({ workspace_id, id, holder, held_until: until })
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'id'])
        .doUpdateSet({ holder, held_until: until })
        .where(sql<boolean>`webhook_lease.held_until < clock_timestamp()`),
    )
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Gives the place up, unless it was lost to somebody else meanwhile. */
export async function releaseLease(tx: Db, id: ConnectionId, holder: string): Promise<void> {
  await tx
    .deleteFrom('webhook_lease')
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .where('holder', '=', holder)
    .execute();
}
