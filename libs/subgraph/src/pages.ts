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

/** Reads Relay's arguments; `first` and `last` exclude each other and go from 0 to 500. */
export function readPage(args: PageArguments): PageRequest {
  const { first, last, after, before } = args;
  if (first != null && last != null) throw badPage('last', 'first and last exclude each other');
  const backwards = last != null || (first == null && before != null);
  const size = (backwards ? last : first) ?? DEFAULT_PAGE;
  if (size < 0 || size > MAX_PAGE) {
    throw badPage(backwards ? 'last' : 'first', `a page has 0 to ${MAX_PAGE} rows`);
  }
  const cursor = backwards ? before : after;
  return {
    limit: size + 1,
    backwards,
    cursor: cursor == null ? undefined : decodeCursor(cursor, backwards ? 'before' : 'after'),
  };
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
  throw badPage(field, 'this cursor was not made by this list');
}

const badPage = (field: string, message: string): Refusal =>
  new Refusal('invalid', `Invalid page: ${message}`, {
    reason: 'invalid_input',
    field,
    fix: 'Use a cursor from pageInfo or edges of the same list.',
  });
