import { type ConnectionId, ReleaseRegistry, RequireRegistry } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Responder, respondTo } from '@manifold/messaging';
import { findConnection } from '../accounts/store.ts';
import { type RegistryDeps, releaseRegistry, requireRegistry } from './commands.ts';
import { decideTracking } from './rules.ts';

/** What other services say they need of the records of a connection. */
export const createRegistryResponders = (deps: RegistryDeps): Responder[] => [
  respondTo(RequireRegistry, ({ workspaceId, connectionId, object, keys, feature }) =>
    withWorkspace(deps.db, workspaceId, async (tx) => {
      const connection = await findConnection(tx, connectionId);
      if (connection === undefined) throw refuseMissing(connectionId);
      const wanted = { connection, object, keys, feature };
      const registry = await requireRegistry(tx, wanted, { ...deps, now: deps.now() });
      return { state: decideTracking(registry) === 'READY' ? 'ready' : 'building' };
    }),
  ),
  respondTo(ReleaseRegistry, ({ workspaceId, connectionId, object, feature }) =>
    withWorkspace(deps.db, workspaceId, async (tx) => {
      const connection = await findConnection(tx, connectionId);
      // its needs went with it
      if (connection === undefined) return { released: false };
      const released = await releaseRegistry(tx, { connection, object, feature }, deps.now());
      return { released };
    }),
  ),
];

/** For good, so that nobody repeats it: a connection is known to others only after it was made. */
const refuseMissing = (id: ConnectionId): Refusal =>
  new Refusal('precondition', `There is no connection ${id}`, {
    reason: 'connection_missing',
    field: 'connectionId',
  });
