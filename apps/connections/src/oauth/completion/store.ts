import type { WorkspaceId } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { OauthState } from '../tables.ts';

type Named = Pick<OauthState, 'workspace_id' | 'id'>;

/** The consent a code belongs to; nobody else completes it until the transaction ends. */
export async function lockReturned(
  tx: Db,
  workspaceId: WorkspaceId,
  codeHash: string,
): Promise<OauthState | undefined> {
  return tx
    .selectFrom('oauth_state')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('code_hash', '=', codeHash)
    .forUpdate()
    .executeTakeFirst();
}

type Completion = Partial<
  Pick<
    OauthState,
    | 'by_admin'
    | 'sealed_code'
    | 'sealed_grant'
    | 'claimed_until'
    | 'attempts'
    | 'finished_at'
    | 'connection_id'
  >
>;

export async function setCompletion(
  tx: Db,
  { workspace_id, id }: Named,
  change: Completion,
): Promise<void> {
  await tx
    .updateTable('oauth_state')
    .set(change)
    .where('workspace_id', '=', workspace_id)
    .where('id', '=', id)
    .execute();
}

/** What an attempt came to, unless another began or, where that matters, traded the code meanwhile. */
export async function setAttempt(
  tx: Db,
  { workspace_id, id, attempts }: Named & Pick<OauthState, 'attempts'>,
  change: Completion,
  { unlessTraded = false }: { unlessTraded?: boolean } = {},
): Promise<void> {
  await tx
    .updateTable('oauth_state')
    .set(change)
    .where('workspace_id', '=', workspace_id)
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .$if(unlessTraded, (untraded) => untraded.where('sealed_grant', 'is', null))
    .execute();
}

/** Takes what was traded for a grant and left alone since `before`, and holds it: only in a scope across workspaces. */
export async function leaseTraded(
  tx: Db,
  lease: { before: Date; until: Date; limit: number },
): Promise<OauthState[]> {
  return tx
    .updateTable('oauth_state')
    .set({ claimed_until: lease.until, attempts: sql`attempts + 1` })
    .where(
      'id',
      '=',
      // an array is made once: a list may be asked for anew, and hold more than the limit
      sql<string>`any(array(
        select id from oauth_state
        where sealed_grant is not null and finished_at is null and claimed_until <= ${lease.before}
        limit ${lease.limit}::int for update skip locked))`,
    )
    .returningAll()
    .execute();
}
