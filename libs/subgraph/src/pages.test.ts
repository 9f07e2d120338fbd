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

test.each<[string, PageArguments, string]>([
  ['first and last together', { first: 1, last: 1 }, 'last'],
  ['a page too large', { first: 501 }, 'first'],
  ['a page of less than nothing', { last: -1 }, 'last'],
  ['a cursor that is none', { after: 'nonsense' }, 'after'],
  [
    'a cursor that holds something else',
    { before: Buffer.from('{"a":1}').toString('base64url') },
    'before',
  ],
])('%s is refused with the field at fault', (_, args, field) => {
  expect(() => readPage(args)).toThrow(
    expect.objectContaining({ kind: 'invalid', detail: expect.objectContaining({ field }) }),
  );
});
