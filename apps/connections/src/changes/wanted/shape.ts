import { FieldValue, PipedriveObject } from '@manifold/contracts';
import { boundedText, optional } from '@manifold/subgraph';
import { z } from 'zod';

const kinds = ['PIPEDRIVE_ID', 'EMAIL', 'PHONE', 'NAME', 'DOMAIN', 'FIELD'] as const;

const Identity = z.object({
  kind: z.enum(kinds),
  value: boundedText(255).min(1),
  field: optional(boundedText(64).min(1)),
});

const MOST_CHARACTERS = 50_000;
const Value = FieldValue.refine(
  (value) => JSON.stringify(value).length <= MOST_CHARACTERS,
  'is too long for a field',
);

/** One wish, as the graph spells it. */
const Wanted = z.object({
  operation: optional(z.enum(['UPSERT', 'CREATE', 'UPDATE', 'DELETE'])),
  object: PipedriveObject,
  identity: z.array(Identity).max(5),
  fields: z.array(z.object({ code: boundedText(64).min(1), value: Value.nullish() })).max(200),
  existing: optional(z.enum(['UPDATE', 'FILL_BLANKS', 'LEAVE'])),
});
export type Wanted = z.infer<typeof Wanted>;

export type WantedKey = z.infer<typeof Identity>;

export const WantedList = z.array(Wanted).max(500);
