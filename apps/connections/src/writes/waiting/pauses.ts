import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createLoader } from '@manifold/subgraph';
import { listConnectionsByIds } from '../../accounts/store.ts';
import { pauseOf } from '../../budget/answers/rules.ts';
import { dayOf } from '../../budget/rules.ts';
import { findDay, findWindow } from '../../budget/store.ts';
import type { Db } from '../../store.ts';
import type { Pause } from './rules.ts';

interface Paused {
  connectionId: ConnectionId;
  pause: Pause | undefined;
}

/** Until when and why the budget lets nothing through, by connection; a workspace has few of them. */
export const createPauseLoader = (
  { db, now }: { db: Db; now: () => Date },
  workspaceId: WorkspaceId,
) =>
  createLoader<ConnectionId, Paused>(
    (ids) =>
      withWorkspace(db, workspaceId, async (tx) => {
        const paused: Paused[] = [];
        for (const { id: connectionId, company_id } of await listConnectionsByIds(tx, ids)) {
          const day = await findDay(tx, company_id, dayOf(now()));
          const pause = pauseOf(day, await findWindow(tx, connectionId), now());
          paused.push({ connectionId, pause });
        }
        return paused;
      }),
    ({ connectionId }) => connectionId,
  );
