import { Refusal } from '@manifold/errors';
import { z } from 'zod';
import type { PageRequest } from './pages.ts';
import type { RequestContext } from './server.ts';

/** GraphQL says nothing in two ways, absent and null; inside there is one. */
export const optional = <Shape extends z.ZodType>(shape: Shape) =>
  shape.nullish().transform((value) => value ?? undefined);

/** Text of at most `max` characters that Postgres can compare with: it has no NUL. */
export const boundedText = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => !text.includes('\0'), 'holds a NUL character');

/** The key of a mutation that may be repeated, 1 to 200 characters; undefined when there is none. */
export const IdempotencyKey = optional(boundedText(200).min(1));

/** Which way a list runs. */
export const SortDirection = z.enum(['ASC', 'DESC']);
/** Which way a list runs. */
export type SortDirection = z.infer<typeof SortDirection>;

/** The argument `orderBy` of a list that can be ordered by these fields; undefined when absent. */
export const orderBy = <const Fields extends readonly [string, ...string[]]>(fields: Fields) =>
  optional(z.object({ field: z.enum(fields), direction: SortDirection }));

/** The caller of a request as the cause of events. */
export const originOf = ({
  workspaceId,
  actor,
  correlationId,
}: Pick<RequestContext, 'workspaceId' | 'actor' | 'correlationId'>) => ({
  workspaceId,
  actor,
  correlationId,
});

/** Loads by an id from outside; a text that is no id resolves to null, like an id nobody has. */
export function loadById<Shape extends z.ZodType, Row>(
  shape: Shape,
  id: string,
  load: (id: z.output<Shape>) => Promise<Row>,
): Promise<Row> | null {
  const known = shape.safeParse(id);
  return known.success ? load(known.data) : null;
}

/**
 * An id from outside that something is looked for by: a text that is no id is looked for all the same,
 * so that it is answered like an id nobody has.
 */
export const idToFind = <Shape extends z.ZodType<string>>(shape: Shape) =>
  z.string().transform((text): z.output<Shape> => {
    const known = shape.safeParse(text);
    // not an id, and only ever compared with ids: the database finds none
    return known.success ? known.data : (text.replace(/[^\x20-\x7e]/g, '?').slice(0, 64) as never);
  });

/** An id within a cursor. */
export const IdPart = boundedText(40);
/** A text within a cursor. */
export const TextPart = boundedText(400);
/** A point in time within a cursor, RFC 3339 in UTC. */
export const TimePart = z.iso.datetime();

/** Refuses a cursor of another list, or of this list in another order. Returns the page. */
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

/** A filter that may hold others of its kind. */
export interface NestedFilter {
  and?: readonly NestedFilter[] | null | undefined;
  or?: readonly NestedFilter[] | null | undefined;
  not?: NestedFilter | null | undefined;
}

const MAX_DEPTH = 5;
const MAX_FILTERS = 50;

/**
 * Refuses a filter nested more than 5 deep, of more than 50 in all, or with a text that Postgres
 * cannot compare with, before it becomes a statement.
 */
export function checkFilter(filter: NestedFilter): void {
  let count = 0;
  let level: readonly NestedFilter[] = [filter];
  for (let depth = 1; level.length > 0; depth += 1) {
    count += level.length;
    if (depth > MAX_DEPTH || count > MAX_FILTERS) throw tooMuch();
    if (level.some(holdsNul)) throw notComparable();
    level = level.flatMap(({ and, or, not }) => [
      ...(and ?? []),
      ...(or ?? []),
      ...(not ? [not] : []),
    ]);
  }
}

const holdsNul = (filter: NestedFilter): boolean =>
  Object.values(filter)
    .flat()
    .some((value) => typeof value === 'string' && value.includes('\0'));

const notComparable = (): Refusal =>
  new Refusal('invalid', 'A text of the filter holds a NUL character', {
    reason: 'invalid_input',
    field: 'filter',
    fix: 'Leave the character out.',
  });

const tooMuch = (): Refusal =>
  new Refusal(
    'invalid',
    `A filter is at most ${MAX_DEPTH} deep and holds at most ${MAX_FILTERS} filters`,
    {
      reason: 'too_many_items',
      field: 'filter',
      fix: 'Ask with several smaller filters.',
    },
  );
