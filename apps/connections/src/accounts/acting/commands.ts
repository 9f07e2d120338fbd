import type { ConnectionId, PipedriveObject, UserId } from '@manifold/contracts';
import type { Db } from '../../store.ts';
import { listActingConnections } from '../store.ts';
import type { Connection } from '../tables.ts';
import { chooseActing } from './rules.ts';

/** The personal connection of a user that stands in for a named one when they write such records. */
export const findActing = async (
  tx: Db,
  asked: { connectionId: ConnectionId; userId: UserId; objects: readonly PipedriveObject[] },
): Promise<Connection | undefined> =>
  chooseActing(await listActingConnections(tx, asked.connectionId, asked.userId), asked.objects);
