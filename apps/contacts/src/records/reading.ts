import {
  type ConnectionId,
  type PipedriveRecord,
  ReadRecords,
  type WorkspaceId,
} from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { askForPage } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { SyncedObject } from '../store.ts';

export interface ReadingNow {
  workspaceId: WorkspaceId;
  fields: string[];
  object: SyncedObject;
  id: string;
  /** Whose sources want it, the one that told of it first; each may have been removed since. */
  connectionIds: readonly ConnectionId[];
}

/** A record as Pipedrive has it, through the first connection that can be read with. */
export async function readNow(
  nats: NatsConnection,
  reading: ReadingNow,
): Promise<PipedriveRecord | undefined> {
  let refused: Refusal | undefined;
  for (const connectionId of reading.connectionIds) {
    try {
      return await readThrough(nats, connectionId, reading);
    } catch (error) {
      if (!(error instanceof Refusal) || !isOfConnection(error)) throw error;
      refused ??= error;
    }
  }
  if (refused !== undefined) throw refused;
  return undefined;
}

/** Removed, switched off or without the permission: another connection may do better. */
const isOfConnection = ({ kind }: Refusal): boolean =>
  kind === 'not_found' || kind === 'precondition';

async function readThrough(
  nats: NatsConnection,
  connectionId: ConnectionId,
  { workspaceId, fields, object, id }: ReadingNow,
): Promise<PipedriveRecord | undefined> {
  const { items, end } = await askForPage(nats, ReadRecords, {
    ...{ workspaceId, connectionId, object, fields },
    ...{ ids: [id], limit: 1 },
  });
  if (end.outcome === 'page') return items[0];
  throw new Refusal('limited', 'The API budget does not allow the read now', {
    reason: 'budget_spent',
  });
}
