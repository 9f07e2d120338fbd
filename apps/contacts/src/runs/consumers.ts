import { ConnectionStatusChanged } from '@manifold/contracts';
import { type Handler, on } from '@manifold/messaging';
import { listActiveSources } from '../sources/store.ts';
import type { Tables } from '../store.ts';
import { settleTracking } from '../tracking/commands.ts';
import { wakeRuns } from './store.ts';

/** A connection that works again: runs that wait for it go on at once, and it is tracked as before. */
export const createRunConsumers = (deps: { now: () => Date }): Handler<Tables>[] => [
  on<Tables, typeof ConnectionStatusChanged>(
    ConnectionStatusChanged,
    async (tx, { workspaceId, payload }) => {
      if (payload.status !== 'ACTIVE') return;
      const sources = await listActiveSources(tx, workspaceId, payload.connectionId);
      if (sources.length === 0) return;
      await wakeRuns(tx, workspaceId, {
        dataSourceIds: sources.map(({ id }) => id),
        now: deps.now(),
      });
      await settleTracking(tx, { workspaceId, connectionId: payload.connectionId });
    },
    { keyOf: ({ payload }) => payload.connectionId },
  ),
];
