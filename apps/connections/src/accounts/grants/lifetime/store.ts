import { sql } from 'kysely';
import type { Db } from '../../../store.ts';
import type { StoredGrant } from '../../tables.ts';

/** When giving a grant back is tried again; null once a connection uses it. */
export async function setRelease(tx: Db, id: string, at: Date | null): Promise<void> {
  await tx
    .updateTable('pipedrive_grant')
    .set({ release_at: at })
    .where('id', '=', id)
    .where('release_at', 'is distinct from', at)
    .execute();
}

/** Takes grants no connection uses and holds them until `until`: only in a scope across workspaces. */
export async function leaseUnused(
  tx: Db,
  lease: { now: Date; until: Date; before: Date; limit: number },
): Promise<string[]> {
  const rows = await tx
    // read once: within "in" it may be read anew, and take more than the limit
    .with(
      (cte) => cte('due').materialized(),
      (db) =>
        db
          .selectFrom('pipedrive_grant as unused')
          .select('id')
          .where((or) =>
            or.or([
              or('release_at', '<=', lease.now),
              or.and([or('release_at', 'is', null), or('renewed_at', '<', lease.before)]),
            ]),
          )
          .where((of) =>
            of.not(
              of.exists(
                of.selectFrom('connection').select('id').whereRef('grant_id', '=', 'unused.id'),
              ),
            ),
          )
          .limit(lease.limit)
          .forUpdate()
          .skipLocked(),
    )
    .updateTable('pipedrive_grant as taken')
    .from('due')
    .set({ release_at: lease.until })
    .whereRef('taken.id', '=', 'due.id')
    .returning('taken.id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Living grants nobody renewed for long: only in a scope across workspaces. */
export async function listIdleGrants(
  tx: Db,
  { before, limit }: { before: Date; limit: number },
): Promise<StoredGrant[]> {
  return tx
    .selectFrom('pipedrive_grant')
    .selectAll()
    .where('renewed_at', '<', before)
    .where('access_token', 'is not', null)
    .where('refresh_token', 'is not', null)
    .where('release_at', 'is', null)
    .orderBy(sql`random()`)
    .limit(limit)
    .execute();
}
