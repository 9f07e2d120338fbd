import { type EventEnvelope, FieldsChanged } from '@manifold/contracts';
import { type Handler, onPrepared, type Origin } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Tables } from '../store.ts';
import { askForCatalogues } from './commands.ts';
import { noteDriftOf } from '../drift/commands.ts';
import { insertCatalogue } from './store.ts';

const originFrom = (event: Omit<EventEnvelope, 'payload'>): Origin => ({
  workspaceId: event.workspaceId,
  actor: { kind: 'service', id: 'field-mapping' },
  correlationId: event.correlationId,
  causationId: event.id,
});

/** A changed catalogue is read again; the status and the drift of every row that rests on it follow. */
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
    async (tx, event, catalogues) => {
      for (const { row } of catalogues) await insertCatalogue(tx, row);
      const { connectionId } = event.payload;
      await noteDriftOf(tx, originFrom(event), { connectionId, now: deps.now() });
    },
    { keyOf: ({ payload }) => payload.connectionId },
  ),
];
