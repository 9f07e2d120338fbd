import type { Db } from '../store.ts';
import type { OauthState } from './tables.ts';

export async function insertState(tx: Db, state: OauthState): Promise<void> {
  await tx.insertInto('oauth_state').values(state).execute();
}

export async function findState(tx: Db, stateHash: string): Promise<OauthState | undefined> {
  return tx
    .selectFrom('oauth_state')
    .selectAll()
    .where('state_hash', '=', stateHash)
    .executeTakeFirst();
}

/** Uses a state up; undefined when it is unknown, too old, or was used before. */
export async function takeState(
  tx: Db,
  stateHash: string,
  now: Date,
): Promise<OauthState | undefined> {
  return tx
    .updateTable('oauth_state')
    .set({ used_at: now })
    .where('state_hash', '=', stateHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst();
}

/** The browser came back with a code of Pipedrive. */
export async function setReturned(
  tx: Db,
  { workspace_id, id }: Pick<OauthState, 'workspace_id' | 'id'>,
  returned: Pick<OauthState, 'code_hash' | 'code_expires_at' | 'sealed_code'>,
): Promise<void> {
  await tx
    .updateTable('oauth_state')
    .set(returned)
    .where('workspace_id', '=', workspace_id)
    .where('id', '=', id)
    .execute();
}

/** States that can no longer be used, kept a day for questions: only in a scope across workspaces. */
export async function removeOldStates(tx: Db, before: Date): Promise<void> {
  await tx.deleteFrom('oauth_state').where('expires_at', '<', before).execute();
}
