import { buildSchema, parse, Kind } from 'graphql';
import { expect, test } from 'vitest';
import { findWrongVariables } from './variables.ts';

const schema = buildSchema(`
  scalar DateTime
  enum Shelf { SEA LAND AIR }
  input Author { name: String! shelf: Shelf }
  input Wish { title: String! pages: Int since: DateTime shelves: [Shelf!] author: Author }
  type Query { find(wish: Wish!, wishes: [Wish!], shelf: Shelf = SEA, most: Int!): String }
`);
const QUERY = `query ($wish: Wish!, $wishes: [Wish!], $shelf: Shelf = SEA, $most: Int!) {
  find(wish: $wish, wishes: $wishes, shelf: $shelf, most: $most) }`;

function issuesOf(variables: Record<string, unknown>) {
  const [operation] = parse(QUERY).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return findWrongVariables(schema, operation, { wish: { title: 'Emma' }, most: 1, ...variables });
}

const title = 'Emma';
const SHELVES = 'Use one of SEA, LAND, AIR.';

test.each<[string, Record<string, unknown>, [field: string, message: string, fix: string]]>([
  ['an unknown word', { shelf: 'MOON' }, ['shelf', 'none of the values', SHELVES]],
  ['a number for a word', { shelf: 5 }, ['shelf', 'none of the values', SHELVES]],
  [
    'a word deep inside',
    { wishes: [{ title }, { title, author: { name: 'A', shelf: 'MOON' } }] },
    ['wishes.1.author.shelf', 'none of the values', SHELVES],
  ],
  [
    'a word in a list',
    { wish: { title, shelves: ['SEA', 'MOON'] } },
    ['wish.shelves.1', 'none of', SHELVES],
  ],
  [
    'one thing for a list',
    { wishes: { title, shelves: 'MOON' } },
    ['wishes.shelves', 'none of', SHELVES],
  ],
  ['a variable left out', { most: undefined }, ['most', 'is required', 'Give a whole number.']],
  ['nothing for something', { most: null }, ['most', 'is required', 'Give a whole number.']],
  [
    'a text for a number',
    { most: 'many' },
    ['most', 'is not a whole number', 'Give a whole number.'],
  ],
  ['a field left out', { wish: {} }, ['wish.title', 'is required', 'Give a text.']],
  ['a field of nothing', { wish: { title: null } }, ['wish.title', 'is required', 'Give a text.']],
  ['a text for an object', { wish: 'Emma' }, ['wish', 'is not an object', 'Give an object.']],
  [
    'a name nobody knows',
    { wish: { title, colour: 'red' } },
    ['wish', 'not known here: colour', 'any of title, pages, since, shelves, author.'],
  ],
])('%s is told with its place and the way out', (_, variables, [field, message, fix]) => {
  expect(issuesOf(variables)).toEqual([
    { field, message: expect.stringContaining(message), fix: expect.stringContaining(fix) },
  ]);
  expect(JSON.stringify(issuesOf(variables))).not.toMatch(/MOON|"many|"red|Emma/);
});

test('what fits is let through, and so is what has a default', () => {
  expect(issuesOf({})).toEqual([]);
  expect(issuesOf({ wish: { title, author: null, shelves: 'SEA' }, shelf: null })).toEqual([]);
});

test('everything wrong is told at once, but not without end', () => {
  expect(issuesOf({ shelf: 'MOON', most: 'many' }).map(({ field }) => field)).toEqual([
    'shelf',
    'most',
  ]);
  const wishes = Array.from({ length: 500 }, () => ({ title: 5, pages: 'x' }));
  expect(issuesOf({ wishes })).toHaveLength(20);
});
