import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import type { Db } from '../store.ts';

/** Takes connections whose upkeep is due and holds them until `until`: only in a scope across workspaces. */
export async function leaseUpkeep(
  tx: Db,
  lease: { now: Date; until: Date; limit: number },
): Promise<{ workspace_id: WorkspaceId; id: ConnectionId }[]> {
  return tx
    .updateTable('connection')
    .set({ upkeep_at: lease.until })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('connection')
        .select('id')
        .where((or) =>
          or.or([
            or('status', '=', 'ACTIVE'),
            // turned away by the API, though its grant may live
            or.and([
              or('status', '=', 'NEEDS_REAUTH'),
              or('status_reason', '=', 'token_rejected'),
              or(
                'grant_id',
                'in',
                or
                  .selectFrom('pipedrive_grant')
                  .select('pipedrive_grant.id')
                  .where('refresh_token', 'is not', null),
              ),
            ]),
          ]),
        )
        .where('upkeep_at', '<=', lease.now)
        .orderBy('upkeep_at')
        .limit(lease.limit)
        .forUpdate()
        .skipLocked(),
    )
    .returning(['workspace_id', 'id'])
    .execute();
}

/** Makes upkeep due at a time, unless it is due earlier. */
export async function setUpkeepDue(tx: Db, id: ConnectionId, at: Date): Promise<void> {
  await tx
    .updateTable('connection')
    .set({ upkeep_at: at })
    .where('id', '=', id)
    .where('upkeep_at', '>', at)
    .execute();
}
