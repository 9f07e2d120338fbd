import type { Origin } from '@manifold/messaging';
import type { PageRequest, RequestContext } from '@manifold/subgraph';
import { Refusal } from '@manifold/errors';
import { z } from 'zod';

/** GraphQL says nothing in two ways, absent and null; inside there is one. */
export const optional = <Shape extends z.ZodType>(shape: Shape) =>
  shape.nullish().transform((value) => value ?? undefined);

/** Text of a bounded length that Postgres can compare with. */
export const boundedText = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => !text.includes('\0'), 'holds a NUL character');

export const IdempotencyKey = optional(boundedText(128).min(1));

/** The caller of a request as the cause of events. */
export const originOf = ({ workspaceId, actor, correlationId }: RequestContext): Origin => ({
  workspaceId,
  actor,
  correlationId,
});

/** A text that is no id resolves to nothing, like an id nobody has. */
export function loadById<Shape extends z.ZodType, Row>(
  shape: Shape,
  id: string,
  load: (id: z.output<Shape>) => Promise<Row>,
): Promise<Row> | null {
  const known = shape.safeParse(id);
  return known.success ? load(known.data) : null;
}

/** The parts of a cursor are the client's words until they are known to fit the list. */
export function checkCursor(page: PageRequest, parts: readonly z.ZodType[]): PageRequest {
  const { cursor } = page;
  const fits =
    cursor === undefined ||
    (cursor.length === parts.length &&
      parts.every((part, index) => part.safeParse(cursor[index]).success));
  if (fits) return page;
  throw new Refusal('invalid', 'Invalid page: this cursor was not made by this list', {
    reason: 'invalid_input',
    field: page.backwards ? 'before' : 'after',
    fix: 'Use a cursor from pageInfo or edges of the same list.',
  });
}

export const IdPart = boundedText(40);
export const TextPart = boundedText(400);
export const TimePart = z.iso.datetime();
