import { allEvents, type EventEnvelope } from '@manifold/contracts';
import type { Batch } from '@manifold/messaging';
import type { Tables } from '../store.ts';
import { isFact, type Line, lineOf } from './rules.ts';
import { insertLines } from './store.ts';

/** Every event that tells a fact becomes a line; lines need no order among each other. */
export const createBatch = (): Batch<Tables, Line> => ({
  eventNames: [...allEvents.keys()].filter(isFact),
  read: (event: EventEnvelope) => {
    const definition = allEvents.get(event.name);
    if (!definition) throw new Error(`The event ${event.name} is not in the contracts`);
    return lineOf(event, definition.summarise(event.payload));
  },
  write: insertLines,
});
