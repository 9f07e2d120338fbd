import { PipedriveObject } from '@manifold/contracts';
import { boundedText, checkFilter, optional, orderBy } from '@manifold/subgraph';
import { z } from 'zod';
import type { EntryFilter } from './store.ts';

const text = optional(boundedText(128));

const Filter: z.ZodType<EntryFilter> = z.object({
  service: text,
  action: text,
  outcome: optional(
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(['succeeded', 'failed', 'skipped', 'parked', 'unknown'])),
  ),
  actorId: text,
  actorApiKeyId: text,
  target: optional(z.object({ type: text, id: text })),
  record: optional(
    z.object({ connectionId: text, object: optional(PipedriveObject), pipedriveId: text }),
  ),
  correlationId: text,
  about: text,
  from: optional(z.date()),
  to: optional(z.date()),
  and: z.lazy(() => optional(z.array(Filter))),
  or: z.lazy(() => optional(z.array(Filter).min(1))),
  not: z.lazy(() => optional(Filter)),
});

const ListArguments = z.object({
  filter: optional(Filter).transform((filter) => filter ?? {}),
  orderBy: orderBy(['OCCURRED_AT']),
});

/** What is asked of the list. */
export function readListArguments(args: unknown): { filter: EntryFilter; descending: boolean } {
  const { filter, orderBy: order } = ListArguments.parse(args);
  checkFilter(filter);
  return { filter, descending: order?.direction !== 'ASC' };
}
