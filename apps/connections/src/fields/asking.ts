import type { ConnectionId, Identity, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { PipedriveClient } from '@manifold/pipedrive';
import type { PipedriveAccess } from '../accounts/calling/client.ts';
import type { OwnFeature } from '../budget/usage/features.ts';
import { requireDeciding } from '../accounts/ownership/commands.ts';
import { managerOf, requireUpkeep } from '../accounts/ownership/rules.ts';
import { requireUsable } from '../accounts/rules.ts';
import { findConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';

/** A connection somebody named in `input.connectionId`, and may look after, and a client for who waits. */
export async function openConnection(
  { db, access }: { db: Db; access: PipedriveAccess },
  caller: { workspaceId: WorkspaceId; identity: Pick<Identity, 'userId' | 'role'> },
  { connectionId, feature }: { connectionId: ConnectionId; feature: OwnFeature },
): Promise<{ connection: Connection; client: PipedriveClient }> {
  const { workspaceId, identity } = caller;
  const field = 'input.connectionId';
  const by = managerOf(identity);
  const connection = await withWorkspace(db, workspaceId, async (tx) => {
    const found = requireUsable(await findConnection(tx, connectionId), connectionId, field);
    // what is made in Pipedrive is there for the whole company
    if (feature === 'field_creation') await requireDeciding(tx, found, { by, field });
    else requireUpkeep(found, by, field);
    return found;
  });
  const use = { lane: 'interactive', feature } as const;
  return { connection, client: await access.clientFor(workspaceId, connectionId, use) };
}
