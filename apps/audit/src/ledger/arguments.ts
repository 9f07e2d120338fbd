import { Refusal } from '@manifold/errors';
import { z } from 'zod';
import type { EntryFilter } from './store.ts';

const MAX_NESTING = 5;

const optional = <Shape extends z.ZodType>(shape: Shape) =>
  shape.nullish().transform((value) => value ?? undefined);
const text = optional(z.string().max(128));

const Filter: z.ZodType<EntryFilter> = z.object({
  service: text,
  action: text,
  outcome: optional(
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(['succeeded', 'failed', 'skipped', 'parked'])),
  ),
  actorId: text,
  target: optional(z.object({ type: text, id: text })),
  record: optional(z.object({ connectionId: text, object: text, pipedriveId: text })),
  correlationId: text,
  about: text,
  from: optional(z.date()),
  to: optional(z.date()),
  and: z.lazy(() => optional(z.array(Filter).max(20))),
  or: z.lazy(() => optional(z.array(Filter).min(1).max(20))),
  not: z.lazy(() => optional(Filter)),
});

const ListArguments = z.object({
  filter: optional(Filter).transform((filter) => filter ?? {}),
  orderBy: optional(z.object({ direction: z.enum(['ASC', 'DESC']) })),
});

/** What is asked of the list; refuses a filter nested deeper than five levels. */
export function readListArguments(args: unknown): { filter: EntryFilter; descending: boolean } {
  const { filter, orderBy } = ListArguments.parse(args);
  if (nestingOf(filter) > MAX_NESTING) {
    throw new Refusal('invalid', `A filter is nested at most ${MAX_NESTING} levels deep`, {
      reason: 'too_many_items',
      field: 'filter',
      fix: 'Write the condition with fewer levels of and, or and not.',
    });
  }
  return { filter, descending: orderBy?.direction !== 'ASC' };
}

const nestingOf = ({ and = [], or = [], not }: EntryFilter): number =>
  1 + Math.max(0, ...[...and, ...or, ...(not ? [not] : [])].map(nestingOf));
