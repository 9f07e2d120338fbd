import { randomUUID } from 'node:crypto';
import { withWorkspace } from '@manifold/database';
import type { Db } from '../../store.ts';
import { type LeasedConnection, releaseLease, takeLease } from './store.ts';

/** Longer than a list, a create and a few deletes take when each of them runs out of time. */
const HOLD_SECONDS = 240;

/** Does what changes a connection's subscription while nobody else does; `busy` when somebody is at it. */
export async function changeAlone<Result>(
  db: Db,
  connection: LeasedConnection,
  work: () => Promise<Result>,
): Promise<Result | 'busy'> {
  const { workspace_id: workspaceId, id } = connection;
  const holder = randomUUID();
  const isTaken = await withWorkspace(db, workspaceId, (tx) =>
    takeLease(tx, connection, { holder, seconds: HOLD_SECONDS }),
  );
  if (!isTaken) return 'busy';
  try {
    return await work();
  } finally {
    await withWorkspace(db, workspaceId, (tx) => releaseLease(tx, id, holder));
  }
}
