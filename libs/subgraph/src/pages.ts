import { Refusal } from '@manifold/errors';

/** Relay's paging arguments. */
export interface PageArguments {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/** What a store needs for one page by keyset: one row more than asked for tells whether more follow. */
export interface PageRequest {
  /** Rows to fetch: the page's size plus one. */
  limit: number;
  backwards: boolean;
  /** The sort values of the row to start after (or before, backwards); undefined at an end. */
  cursor: readonly string[] | undefined;
}

const DEFAULT_PAGE = 50;
const MAX_PAGE = 500;

/**
 * Reads Relay's arguments: `first` with `after`, or `last` with `before`; 0 to 500 rows. Anything else is
 * refused with the argument at fault and the way out.
 */
export function readPage(args: PageArguments): PageRequest {
  const { first, last, after, before } = args;
  refuseMixed(args);
  const backwards = last != null || before != null;
  const size = (backwards ? last : first) ?? DEFAULT_PAGE;
  if (size < 0 || size > MAX_PAGE) {
    throw badPage(backwards ? 'last' : 'first', `a page has 0 to ${MAX_PAGE} rows`, {
      fix: `Ask for at most ${MAX_PAGE} rows and read on from the cursor in pageInfo.`,
    });
  }
  const cursor = backwards ? before : after;
  return {
    limit: size + 1,
    backwards,
    cursor: cursor == null ? undefined : decodeCursor(cursor, backwards ? 'before' : 'after'),
  };
}

/** A list is read in one direction at a time. */
function refuseMixed({ first, last, after, before }: PageArguments): void {
  const fix = 'Read forwards with first and after, or backwards with last and before.';
  if (first != null && last != null)
    throw badPage('last', 'first and last exclude each other', { fix });
  if (first != null && before != null)
    throw badPage('before', 'before does not go with first', { fix });
  if (last != null && after != null) throw badPage('after', 'after does not go with last', { fix });
  if (after != null && before != null)
    throw badPage('before', 'after and before exclude each other', { fix });
}

/** Shapes rows fetched for `page` into a Relay connection. `cursorOf` gives a row's sort values. */
export function toConnection<Row>(
  rows: readonly Row[],
  page: PageRequest,
  cursorOf: (row: Row) => readonly string[],
) {
  const hasMore = rows.length === page.limit;
  const kept = rows.slice(0, page.limit - 1);
  const ordered = page.backwards ? kept.toReversed() : kept;
  const edges = ordered.map((node) => ({ node, cursor: encodeCursor(cursorOf(node)) }));
  return {
    edges,
    nodes: ordered,
    pageInfo: {
      hasNextPage: page.backwards ? page.cursor !== undefined : hasMore,
      hasPreviousPage: page.backwards ? hasMore : page.cursor !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

const encodeCursor = (values: readonly string[]): string =>
  Buffer.from(JSON.stringify(values)).toString('base64url');

function decodeCursor(cursor: string, field: string): readonly string[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values;
  } catch {
    // falls through to the refusal
  }
  throw badPage(field, 'this cursor was not made by this list', {
    fix: 'Use a cursor from pageInfo or edges of the same list.',
  });
}

const badPage = (field: string, message: string, { fix }: { fix: string }): Refusal =>
  new Refusal('invalid', `Invalid page: ${message}`, { reason: 'invalid_input', field, fix });
