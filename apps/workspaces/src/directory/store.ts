import type { ApiKeyId, Role, UserId, WorkspaceId } from '@manifold/contracts';
import type { ApiKey, Db } from '../store.ts';

// The look-ups that find out which workspace is meant: by the hash of a key, or by a person.
// They run in `acrossWorkspaces`, and only what belongs to that key or person is asked for.

/** Where a person stands in one workspace. */
export interface Standing {
  workspace_id: WorkspaceId;
  name: string;
  created_at: Date;
  role: Role;
}

const MAX_WORKSPACES = 500;

export async function findKeyByHash(tx: Db, keyHash: string): Promise<ApiKey | undefined> {
  return tx.selectFrom('api_key').selectAll().where('key_hash', '=', keyHash).executeTakeFirst();
}

export async function findKeyOfUser(
  tx: Db,
  key: { id: ApiKeyId; userId: UserId },
): Promise<ApiKey | undefined> {
  return tx
    .selectFrom('api_key')
    .selectAll()
    .where('id', '=', key.id)
    .where('user_id', '=', key.userId)
    .executeTakeFirst();
}

export async function listStandings(
  tx: Db,
  person: { userId: UserId; workspaceId?: WorkspaceId },
): Promise<Standing[]> {
  let query = tx
    .selectFrom('member')
    .innerJoin('workspace', 'workspace.workspace_id', 'member.workspace_id')
    .select(['member.workspace_id', 'workspace.name', 'workspace.created_at', 'member.role'])
    .where('member.user_id', '=', person.userId);
  if (person.workspaceId) query = query.where('member.workspace_id', '=', person.workspaceId);
  return query.orderBy('member.workspace_id').limit(MAX_WORKSPACES).execute();
}

/** Notes that a key is in use, at most once a minute. */
export async function setLastUsed(
  tx: Db,
  key: { id: ApiKeyId; workspaceId: WorkspaceId },
  now: Date,
): Promise<void> {
  await tx
    .updateTable('api_key')
    .set({ last_used_at: now })
    .where('workspace_id', '=', key.workspaceId)
    .where('id', '=', key.id)
    .where((row) =>
      row.or([
        row('last_used_at', 'is', null),
        row('last_used_at', '<', new Date(now.getTime() - 60_000)),
      ]),
    )
    .execute();
}

/** The one user with this e-mail, made when nobody has it yet. */
export async function findOrInsertUser(
  tx: Db,
  user: { id: UserId; email: string; now: Date },
): Promise<UserId> {
  await tx
    .insertInto('app_user')
    .values({ id: user.id, email: user.email, created_at: user.now })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .execute();
  const { id } = await tx
    .selectFrom('app_user')
    .select('id')
    .where('email', '=', user.email)
    .executeTakeFirstOrThrow();
  return id;
}

export async function anyWorkspaceExists(tx: Db): Promise<boolean> {
  const row = await tx.selectFrom('workspace').select('workspace_id').limit(1).executeTakeFirst();
  return row !== undefined;
}
