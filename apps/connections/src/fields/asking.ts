import type { ConnectionId, UserId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { PipedriveClient } from '@manifold/pipedrive';
import type { PipedriveAccess } from '../accounts/client.ts';
import type { OwnFeature } from '../budget/usage/features.ts';
import { requireOwn } from '../accounts/ownership/rules.ts';
import { requireUsable } from '../accounts/rules.ts';
import { findConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';

/** A connection somebody named in `input.connectionId`, theirs or everybody's, and a client for who waits. */
export async function openConnection(
  { db, access }: { db: Db; access: PipedriveAccess },
  caller: { workspaceId: WorkspaceId; identity: { userId: UserId } },
  { connectionId, feature }: { connectionId: ConnectionId; feature: OwnFeature },
): Promise<{ connection: Connection; client: PipedriveClient }> {
  const { workspaceId, identity } = caller;
  const found = await withWorkspace(db, workspaceId, (tx) => findConnection(tx, connectionId));
  const connection = requireUsable(found, connectionId, 'input.connectionId');
  requireOwn(connection, identity.userId, 'input.connectionId');
  const use = { lane: 'interactive', feature } as const;
  return { connection, client: await access.clientFor(workspaceId, connectionId, use) };
}
