import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

/** Lists of rows to change that are picked with a limit and a lock: SQL, and built with Kysely. */
const LISTS = [
  /\bin\s*\(\s*select\b[^;`]*?\blimit\b[^;`]*?\bskip locked/gi,
  /'in',\s*\(\w+\)\s*=>(?:(?!;\n)[\s\S])*?\.limit\((?:(?!;\n)[\s\S])*?\.skipLocked\(\)/g,
];

const findLists = (text: string): string[] => LISTS.flatMap((list) => text.match(list) ?? []);

// the database may execute such a sub-select anew for each row, and lock and take other rows each time
test('rows that are taken with a limit are picked once: in a materialized query, or as an array', () => {
  const files = globSync('{apps,libs,tools}/*/{src,test}/**/*.ts', { cwd: ROOT });
  expect(files.length).toBeGreaterThan(500);
  const own = 'tools/law/src/leases.test.ts';
  const wrong = files.filter(
    (file) => file !== own && findLists(readFileSync(join(ROOT, file), 'utf8')).length > 0,
  );
  expect(wrong).toEqual([]);
});

test.each([
  ['where (a, id) in (\n select a, id from t order by x limit 1 for update skip locked)', 1],
  ["where('id', 'in', (eb) =>\n eb.selectFrom('t').limit(5)\n.forUpdate()\n.skipLocked(),\n)", 1],
  ['where id = any (array(select id from t limit 1 for update skip locked))', 0],
  ['with due as materialized (select id from t limit 1 for update skip locked) update t', 0],
  ['where x in (select x from y)`;\nsql`select id from t limit 1 for update skip locked', 0],
])('%s', (text, found) => {
  expect(findLists(text)).toHaveLength(found);
});
