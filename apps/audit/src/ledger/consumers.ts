import { allEvents, type EventEnvelope, EventEnvelopeHead } from '@manifold/contracts';
import type { Handler } from '@manifold/messaging';
import type { Tables } from '../store.ts';
import { entryOf, subjectsOf } from './rules.ts';
import { insertEntry } from './store.ts';

/** Every event of the system becomes a line; lines need no order among each other. */
export const createConsumers = (): Handler<Tables>[] =>
  [...allEvents.values()].map(({ name, summarise }) => ({
    eventName: name,
    keyOf: (event: EventEnvelope) => event.id,
    prepare: async (unread: unknown) => {
      const event: EventEnvelope = EventEnvelopeHead.parse(unread);
      const summary = summarise(event.payload);
      return (tx) => insertEntry(tx, entryOf(event, summary), subjectsOf(event, summary));
    },
  }));
