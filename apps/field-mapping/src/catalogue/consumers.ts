import { FieldsChanged } from '@manifold/contracts';
import { type Handler, onPrepared } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Tables } from '../store.ts';
import { askForCatalogues } from './commands.ts';
import { insertCatalogue } from './store.ts';

/** A changed catalogue is read again; the status of every row that rests on it follows. */
export const createCatalogueConsumers = (deps: {
  nats: NatsConnection;
  now: () => Date;
}): Handler<Tables>[] => [
  onPrepared(
    FieldsChanged,
    async ({ workspaceId, payload: { connectionId, object } }) => {
      // no mapping of this release rests on an object of a later one
      if (object === 'unknown') return [];
      const wanted = { workspaceId, connectionId, objects: [object] };
      return askForCatalogues(deps.nats, wanted, deps.now());
    },
    async (tx, _event, catalogues) => {
      for (const { row } of catalogues) await insertCatalogue(tx, row);
    },
    { keyOf: ({ payload }) => `${payload.connectionId}|${payload.object}` },
  ),
];
