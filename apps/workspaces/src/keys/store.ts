import type { ApiKeyId, UserId, WorkspaceId } from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import type { Insertable, SelectQueryBuilder } from 'kysely';
import type { ApiKey, Db, Tables } from '../store.ts';

export interface ApiKeyFilter {
  revoked?: boolean | undefined;
  userId?: UserId | undefined;
  /** Only keys that act as this person, whatever else is asked for. */
  visibleTo?: UserId | undefined;
}

type KeyQuery<Row> = SelectQueryBuilder<Tables, 'api_key', Row>;

const keys = (tx: Db, workspaceId: WorkspaceId) =>
  tx.selectFrom('api_key').where('workspace_id', '=', workspaceId);

function matching<Row>(query: KeyQuery<Row>, filter: ApiKeyFilter): KeyQuery<Row> {
  let matched = query;
  if (filter.userId) matched = matched.where('user_id', '=', filter.userId);
  if (filter.visibleTo) matched = matched.where('user_id', '=', filter.visibleTo);
  if (filter.revoked === undefined) return matched;
  return matched.where('revoked_at', filter.revoked ? 'is not' : 'is', null);
}

export async function listApiKeys(
  tx: Db,
  workspaceId: WorkspaceId,
  { filter, page, descending }: { filter: ApiKeyFilter; page: PageRequest; descending: boolean },
): Promise<ApiKey[]> {
  const rows = matching(keys(tx, workspaceId), filter).selectAll();
  return pageByKeyset(rows, { by: ['id'], descending, page }).execute();
}

export async function countApiKeys(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: ApiKeyFilter,
): Promise<number> {
  return countRows(matching(keys(tx, workspaceId), filter));
}

export async function listApiKeysByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly ApiKeyId[],
): Promise<ApiKey[]> {
  return keys(tx, workspaceId)
    .selectAll()
    .where('id', 'in', [...ids])
    .execute();
}

export async function insertApiKey(tx: Db, key: Insertable<Tables['api_key']>): Promise<void> {
  await tx.insertInto('api_key').values(key).execute();
}

/** Ends one key; undefined when there is none, or it had ended before. */
export async function revokeKey(
  tx: Db,
  key: { workspaceId: WorkspaceId; id: ApiKeyId },
  now: Date,
): Promise<ApiKey | undefined> {
  return tx
    .updateTable('api_key')
    .set({ revoked_at: now })
    .where('workspace_id', '=', key.workspaceId)
    .where('id', '=', key.id)
    .where('revoked_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Ends every key made in a workspace for one person; returns those that ended now. */
export async function revokeKeysOfUser(
  tx: Db,
  owner: { workspaceId: WorkspaceId; userId: UserId },
  now: Date,
): Promise<ApiKeyId[]> {
  const revoked = await tx
    .updateTable('api_key')
    .set({ revoked_at: now })
    .where('workspace_id', '=', owner.workspaceId)
    .where('user_id', '=', owner.userId)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  return revoked.map(({ id }) => id);
}
