import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { sealedColumns } from './sealed-columns.ts';

const { ownerDb, drop } = await createTestDatabase<Tables>(migrations);
afterAll(drop);

const known = new Set(sealedColumns.map(({ table, column }) => `${table}.${column}`));

test('every column whose name says it is sealed, or a secret, is sealed anew with a new key', async () => {
  const { rows } = await sql<{ name: string; has_id: boolean }>`
    select c.table_name || '.' || c.column_name as name, exists (
      select from information_schema.columns i
      where i.table_name = c.table_name and i.column_name = 'id') as has_id
    from information_schema.columns c
    where c.table_schema = 'public' and c.table_name <> 'pipedrive_grant' and (
      c.column_name like 'sealed%' or c.column_name like '%password%' or c.column_name like '%token'
    )`.execute(ownerDb);
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.filter(({ name }) => !known.has(name))).toEqual([]);
  expect(rows.filter(({ has_id }) => !has_id)).toEqual([]);
});

test('every table the source seals for is among them', () => {
  const source = join(import.meta.dirname, '..');
  const files = globSync('**/*.ts', { cwd: source }).filter((file) => !file.endsWith('.test.ts'));
  const tables = files.flatMap((file) => {
    const text = readFileSync(join(source, file), 'utf8');
    return [...text.matchAll(/table: '(\w+)',\s+workspaceId/g)].map(([, table]) => table);
  });
  const swept = new Set([...sealedColumns.map(({ table }) => table), 'pipedrive_grant']);
  expect(tables.filter((table) => table !== undefined && !swept.has(table))).toEqual([]);
  expect(tables.length).toBeGreaterThan(4);
});
