import { type AnyEvent, allEvents } from '@manifold/contracts';
import { z } from 'zod';

/**
 * Who checks events with a schema of today must not drop those of a later release: fields whose
 * values grow name the ones there are and take others, and objects take further fields.
 */
const leaveOpen: NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override'] = ({
  zodSchema,
  jsonSchema,
}) => {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  const { type, enum: known } = jsonSchema;
  if (zodSchema._zod.def.type !== 'pipe' || known === undefined) return;
  delete jsonSchema.type;
  delete jsonSchema.enum;
  jsonSchema.anyOf = [{ ...(type ? { type } : {}), enum: known }, { type: 'string' }];
};

/** The JSON Schema (draft 2020-12) of one event's whole envelope. */
const schemaOf = ({ name, envelope }: AnyEvent): Record<string, unknown> => ({
  $id: `${name}.json`,
  title: name,
  ...z.toJSONSchema(envelope, { target: 'draft-2020-12', override: leaveOpen }),
});

/** Every event's schema by file name. */
export const listSchemas = (): Map<string, Record<string, unknown>> =>
  new Map([...allEvents.values()].map((event) => [`${event.name}.json`, schemaOf(event)]));
