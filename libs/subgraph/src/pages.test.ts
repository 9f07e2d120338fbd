import { describe, expect, test } from 'vitest';
import { type PageArguments, readPage, toConnection } from './pages.ts';

const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

/** A page of the letters as a store would fetch it by keyset. */
function pageOf(args: PageArguments) {
  const page = readPage(args);
  const [after] = page.cursor ?? [];
  const ordered = page.backwards ? letters.toReversed() : letters;
  const rest = ordered.filter(
    (letter) => after === undefined || (page.backwards ? letter < after : letter > after),
  );
  return toConnection(rest.slice(0, page.limit), page, (letter) => [letter]);
}

describe('forwards', () => {
  test('pages follow each other without gaps until the end', () => {
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const { nodes, pageInfo }: ReturnType<typeof pageOf> = pageOf({ first: 3, after });
      seen.push(...nodes);
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    expect(seen).toEqual(letters);
  });

  test('a page tells what lies around it', () => {
    const one = pageOf({ first: 3 });
    const two = pageOf({ first: 3, after: one.pageInfo.endCursor });

    expect(one.pageInfo).toMatchObject({ hasPreviousPage: false, hasNextPage: true });
    expect(two.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true });
  });
});

describe('backwards', () => {
  test('pages are in the list’s own order, from the end to the start', () => {
    const last = pageOf({ last: 3 });
    const before = pageOf({ last: 3, before: last.pageInfo.startCursor });
    const first = pageOf({ last: 3, before: before.pageInfo.startCursor });

    expect([first.nodes, before.nodes, last.nodes]).toEqual([
      ['a'],
      ['b', 'c', 'd'],
      ['e', 'f', 'g'],
    ]);
    expect(first.pageInfo).toMatchObject({ hasPreviousPage: false, hasNextPage: true });
    expect(last.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
  });

  test('`before` alone goes backwards', () => {
    const last = pageOf({ last: 2 });
    expect(pageOf({ before: last.pageInfo.startCursor }).nodes).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

test('without arguments a page has 50 rows, and it may have none', () => {
  expect(readPage({})).toEqual({ limit: 51, backwards: false, cursor: undefined });
  expect(pageOf({ first: 0 })).toMatchObject({
    nodes: [],
    pageInfo: { hasNextPage: true, startCursor: null, endCursor: null },
  });
});

const made = Buffer.from('["a"]').toString('base64url');
const directions = 'Read forwards with first and after, or backwards with last and before.';
const origin = 'Use a cursor from pageInfo or edges of the same list.';
const size = 'Ask for at most 500 rows and read on from the cursor in pageInfo.';
const other = Buffer.from('{"a":1}').toString('base64url');

test.each<[string, PageArguments, string, string]>([
  ['first and last together', { first: 1, last: 1 }, 'last', directions],
  ['before beside first', { first: 1, before: made }, 'before', directions],
  ['after beside last', { last: 1, after: made }, 'after', directions],
  ['both cursors', { after: made, before: made }, 'before', directions],
  ['a page too large', { first: 501 }, 'first', size],
  ['a page of less than nothing', { last: -1 }, 'last', size],
  ['a cursor that is none', { after: 'nonsense' }, 'after', origin],
  ['a cursor that holds something else', { before: other }, 'before', origin],
])('%s is refused with the field at fault and the way out', (_, args, field, fix) => {
  expect(() => readPage(args)).toThrow(
    expect.objectContaining({ kind: 'invalid', detail: { reason: 'invalid_input', field, fix } }),
  );
});
