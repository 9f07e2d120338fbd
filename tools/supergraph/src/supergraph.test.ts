import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildSchema } from 'graphql';
import { afterEach, describe, expect, test } from 'vitest';
import { listBreakingChanges } from './breaking.ts';
import { composeSupergraph } from './compose.ts';
import { listUndescribed } from './descriptions.ts';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

describe('composing', () => {
  test('joins the files of one app, and the apps with each other', () => {
    const composition = composeSupergraph(
      checkout({
        'apps/a/src/one/schema.graphql':
          'extend type Query { one: Thing } type Thing @key(fields: "id") { id: ID! }',
        'apps/a/src/two/schema.graphql': 'extend type Query { two: Int }',
        'apps/b/src/schema.graphql':
          'extend type Query { three: Int } type Thing @key(fields: "id") { id: ID! size: Int }',
      }),
    );

    if (composition.outcome === 'failed') throw new Error(composition.problems.join());
    const { apiSchema, supergraphSdl } = composition;
    expect(Object.keys(apiSchema.getQueryType()?.getFields() ?? {})).toEqual(
      expect.arrayContaining(['one', 'two', 'three']),
    );
    expect(supergraphSdl).toContain('@join__graph(name: "a", url: "http://a")');
  });

  test('is the same text every time', () => {
    const root = checkout({ 'apps/a/src/schema.graphql': 'extend type Query { a: Int }' });
    const text = () => {
      const composition = composeSupergraph(root);
      return composition.outcome === 'composed' ? composition.supergraphSdl : 'failed';
    };

    expect(text()).toContain('a: Int');
    expect(text()).toBe(text());
  });

  test.each([
    ['a file that cannot be read', 'extend type Query { a: }', /^a: Syntax Error/],
    ['a type nobody knows', 'extend type Query { a: Nothing }', /Nothing/],
  ])('%s is named', (_, text, problem) => {
    const composition = composeSupergraph(checkout({ 'apps/a/src/schema.graphql': text }));

    expect(composition.outcome).toBe('failed');
    if (composition.outcome === 'failed') expect(composition.problems.join()).toMatch(problem);
  });
});

test('everything without a description is named by its coordinate', () => {
  const schema = buildSchema(`
    type Query { "described" a("described" x: Int, y: Int): Thing }
    "described" type Thing { b: Kind }
    enum Kind { "described" GOOD BAD }
    "described" input Wish { c: Int }
  `);

  expect(listUndescribed(schema).toSorted()).toEqual([
    'Kind',
    'Kind.BAD',
    'Query',
    'Query.a(y:)',
    'Thing.b',
    'Wish.c',
  ]);
});

test('what would break a client is told, what would not is not', () => {
  const before = 'type Query { a: Int b: Int }';
  expect(listBreakingChanges(before, 'type Query { a: Int b: Int c: Int }')).toEqual([]);
  expect(listBreakingChanges(before, 'type Query { a: Int }')).toEqual([
    'Breaking: Query.b was removed.',
  ]);
});

function checkout(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'supergraph-'));
  roots.push(root);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}
