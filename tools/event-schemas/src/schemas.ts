import { type AnyEvent, allEvents } from '@manifold/contracts';
import { z } from 'zod';

/** The JSON Schema (draft 2020-12) of one event's whole envelope. */
const schemaOf = ({ name, envelope }: AnyEvent): Record<string, unknown> => ({
  $id: `${name}.json`,
  title: name,
  ...z.toJSONSchema(envelope, { target: 'draft-2020-12' }),
});

/** Every event's schema by file name. */
export const listSchemas = (): Map<string, Record<string, unknown>> =>
  new Map([...allEvents.values()].map((event) => [`${event.name}.json`, schemaOf(event)]));
