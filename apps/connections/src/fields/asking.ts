import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { PipedriveClient } from '@manifold/pipedrive';
import type { PipedriveAccess } from '../accounts/client.ts';
import { requireUsable } from '../accounts/rules.ts';
import { findConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';

/** A connection somebody named in `input.connectionId`, and a client for a person who waits. */
export async function openConnection(
  { db, access }: { db: Db; access: PipedriveAccess },
  workspaceId: WorkspaceId,
  connectionId: ConnectionId,
): Promise<{ connection: Connection; client: PipedriveClient }> {
  const found = await withWorkspace(db, workspaceId, (tx) => findConnection(tx, connectionId));
  const connection = requireUsable(found, connectionId, 'input.connectionId');
  const use = { lane: 'interactive', feature: 'fields' } as const;
  return { connection, client: await access.clientFor(workspaceId, connectionId, use) };
}
