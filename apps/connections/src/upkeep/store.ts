import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import type { Db } from '../store.ts';

/** Takes connections whose upkeep is due and holds them until `until`: only in a scope across workspaces. */
export async function leaseUpkeep(
  tx: Db,
  lease: { now: Date; until: Date; limit: number },
): Promise<{ workspace_id: WorkspaceId; id: ConnectionId }[]> {
  return (
    tx
      // read once: within "in" it may be read anew, and take more than the limit
      .with(
        (cte) => cte('due').materialized(),
        (db) =>
          db
            .selectFrom('connection')
            .select(['workspace_id', 'id'])
            .where((or) =>
              or.or([
                or('status', '=', 'ACTIVE'),
                // turned away, though its grant may live, or its user be active again
                or.and([
                  or('status', '=', 'NEEDS_REAUTH'),
                  or('status_reason', 'in', ['token_rejected', 'user_deactivated']),
                  or.or([
                    or('method', '=', 'API_TOKEN'),
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
              ]),
            )
            .where('upkeep_at', '<=', lease.now)
            .orderBy('upkeep_at')
            .limit(lease.limit)
            .forUpdate()
            .skipLocked(),
      )
      .updateTable('connection as taken')
      .from('due')
      .set({ upkeep_at: lease.until })
      .whereRef('taken.workspace_id', '=', 'due.workspace_id')
      .whereRef('taken.id', '=', 'due.id')
      .returning(['taken.workspace_id', 'taken.id'])
      .execute()
  );
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
