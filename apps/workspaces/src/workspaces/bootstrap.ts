import { UserId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId } from '@manifold/database';
import { type Origin, lockKey } from '@manifold/messaging';
import { anyWorkspaceExists, findOrInsertUser } from '../directory/store.ts';
import { insertKey } from '../keys/commands.ts';
import { normaliseEmail } from '../members/rules.ts';
import type { Db } from '../store.ts';
import { foundWorkspace } from './commands.ts';

export interface Bootstrap {
  apiKey: string;
  workspaceName: string;
  ownerName: string;
  ownerEmail: string;
}

/**
 * Makes the first workspace, its owner and the owner's key, in one transaction. Does nothing once
 * any workspace exists; replicas that start together take turns. Returns whether it made one.
 */
export async function bootstrap(db: Db, first: Bootstrap, now: Date): Promise<boolean> {
  return acrossWorkspaces(db, async (tx) => {
    await lockKey(tx, '*', 'bootstrap');
    if (await anyWorkspaceExists(tx)) return false;
    const origin: Origin = {
      workspaceId: newId('ws', WorkspaceId),
      actor: { kind: 'service', id: 'workspaces' },
      correlationId: 'bootstrap',
    };
    const email = normaliseEmail(first.ownerEmail);
    const userId = await findOrInsertUser(tx, { id: newId('us', UserId), email, now });
    const owner = { userId, name: first.ownerName };
    await foundWorkspace(tx, origin, { name: first.workspaceName, owner }, now);
    const made = { name: 'First key', user_id: userId, created_by: userId, reach: 'user' as const };
    await insertKey(tx, origin, { ...made, secret: first.apiKey }, now);
    return true;
  });
}
