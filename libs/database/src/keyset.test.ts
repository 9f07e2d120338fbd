import { createTestDatabase } from '@manifold/testing';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countRows, pageByKeyset } from './keyset.ts';

interface Tables {
  visit: { id: string; at: Date };
}

const migrations = {
  '0001-visits': {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable('visit')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('at', 'timestamptz', (column) => column.notNull())
        .execute();
    },
  },
};
const { ownerDb, drop } = await createTestDatabase<Tables>(migrations);
afterAll(drop);

/** Two visits each minute, so that only the id tells some of them apart. */
const visits = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id, index) => ({
  id,
  at: new Date(Date.UTC(2026, 2, 1, 10, Math.floor(index / 2))),
}));
beforeAll(async () => {
  await ownerDb.insertInto('visit').values(visits).execute();
});

async function walk(descending: boolean, backwards: boolean): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string[] | undefined;
  for (;;) {
    const page = { limit: 3, backwards, cursor };
    const query = ownerDb.selectFrom('visit').selectAll();
    const rows = await pageByKeyset(query, { by: ['at', 'id'], descending, page }).execute();
    seen.push(...rows.map(({ id }) => id));
    const last = rows.at(-1);
    if (last === undefined) return seen;
    cursor = [last.at.toISOString(), last.id];
  }
}

test.each([
  ['up', false, false, 'abcdefg'],
  ['down', true, false, 'gfedcba'],
  ['up, from its end', false, true, 'gfedcba'],
  ['down, from its end', true, true, 'abcdefg'],
])('a list that runs %s is paged without gaps or repeats', async (_, down, back, expected) => {
  expect((await walk(down, back)).join('')).toBe(expected);
});

test('one column is enough where it tells rows apart', async () => {
  const page = { limit: 2, backwards: false, cursor: ['c'] };
  const query = ownerDb.selectFrom('visit').select('id');
  const rows = await pageByKeyset(query, { by: ['id'], descending: false, page }).execute();
  expect(rows).toEqual([{ id: 'd' }, { id: 'e' }]);
});

test('rows are counted under the conditions of the query', async () => {
  expect(await countRows(ownerDb.selectFrom('visit').where('id', '>', 'd'))).toBe(3);
});
