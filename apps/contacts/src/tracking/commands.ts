import {
  type ConnectionId,
  ReleaseRegistry,
  RequireRegistry,
  type WorkspaceId,
} from '@manifold/contracts';
import { lockKey, type OnRefused, sendCommand } from '@manifold/messaging';
import type { Logger } from 'pino';
import { listActiveSources } from '../sources/store.ts';
import type { SyncedObject, Tables, Tx } from '../store.ts';

/** Who needs it, as connections keeps it: all sources of a connection together. */
const FEATURE = 'contacts';
const OBJECTS: readonly SyncedObject[] = ['organization', 'person'];

/**
 * Says whether changes no webhook told of are to be found: while a source follows the connection.
 * Nothing is asked here, the command goes when connections takes it; to say it again changes nothing.
 * Call it last in a transaction: those of one connection take turns from here to the commit.
 */
export async function settleTracking(
  tx: Tx,
  { workspaceId, connectionId }: { workspaceId: WorkspaceId; connectionId: ConnectionId },
): Promise<void> {
  await lockKey(tx, workspaceId, `tracking|${connectionId}`);
  const sources = await listActiveSources(tx, workspaceId, connectionId);
  for (const object of OBJECTS) {
    const question = { workspaceId, connectionId, object, feature: FEATURE };
    const key = `${connectionId}|${object}`;
    if (sources.length === 0) {
      await sendCommand(tx, ReleaseRegistry, { workspaceId, key, question });
    } else {
      const tracked = { ...question, keys: [] };
      await sendCommand(tx, RequireRegistry, { workspaceId, key, question: tracked });
    }
  }
}

/** A connection that was removed has nothing left to track, and its sources nothing to follow. */
export const createOnRefused =
  ({ log }: { log: Logger }): OnRefused<Tables> =>
  async (_, { subject }, { detail: { reason } }) => {
    log.warn({ subject, reason }, 'records are not tracked');
  };
