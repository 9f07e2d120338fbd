import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { isSameSecret } from './compare.ts';

const ROOT = join(import.meta.dirname, '../../../..');

test.each([
  ['the right one', 'canary-secret', 'canary-secret', true],
  ['another of the same length', 'canary-secreT', 'canary-secret', false],
  ['its beginning', 'canary', 'canary-secret', false],
  ['more than it', 'canary-secret-', 'canary-secret', false],
  ['nothing', '', 'canary-secret', false],
  ['the right one of several bytes a letter', 'gehéim', 'gehéim', true],
])('a secret is compared whole, whatever the lengths: %s', (_, given, expected, isSame) => {
  expect(isSameSecret(given, expected)).toBe(isSame);
});

/** Of every program and library what runs, without tests. */
async function sources(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of ['apps', 'libs']) {
    for (const entry of await readdir(join(ROOT, folder), { recursive: true })) {
      if (!/^[^/]+\/src\/.*\.ts$/.test(entry) || entry.endsWith('.test.ts')) continue;
      const path = join(ROOT, folder, entry);
      found.set(relative(ROOT, path), await readFile(path, 'utf8'));
    }
  }
  return found;
}

const SECRET = /(password|secret|authorization|signature)$/i;
/** Whether there is one, and no matter what it is. */
const NOTHING = /^(undefined|null|'')$/;

/** Comparisons of a secret that end at the first letter that differs, and so tell how much was right. */
function hastyComparisons(source: string): string[] {
  const compared = source.matchAll(/([\w.?\])]+|'')\s*[!=]==?\s*([\w.?[(]+|'')/g);
  const hasty = [...compared].filter(
    ([, left = '', right = '']) =>
      [left, right].some((side) => SECRET.test(side)) &&
      ![left, right].some((side) => NOTHING.test(side)),
  );
  const methods = source.matchAll(/(\w+)\??\.(equals|startsWith|localeCompare)\(/g);
  const asked = [...methods].filter(([, name = '']) => SECRET.test(name));
  return [...hasty, ...asked].map(([text]) => text);
}

test.each([
  ['if (password === expected) return;', 1],
  ['return headers.authorization !== wanted;', 1],
  ['given == row.webhookSecret', 1],
  ['signature.equals(other)', 1],
  ['if (password === undefined) return;', 0],
  ["username !== '' || password !== ''", 0],
  ['isSameSecret(authorization, expected)', 0],
])('a hasty comparison is found: %s', (source, count) => {
  expect(hastyComparisons(source)).toHaveLength(count);
});

test('secrets are compared in constant time, in one place, at every door', async () => {
  const files = await sources();
  expect(files.size).toBeGreaterThan(500);
  const hasty = [...files].flatMap(([path, source]) =>
    hastyComparisons(source).map((text) => `${path}: ${text}`),
  );
  expect(hasty).toEqual([]);
  const of = (text: string) =>
    [...files].filter(([, source]) => source.includes(text)).map(([path]) => path);
  expect(of('timingSafeEqual')).toEqual(['apps/connections/src/vault/compare.ts']);
  // webhooks, the state a browser comes back with, the notice of a removed app
  const doors = ['oauth/beginning.ts', 'oauth/http.ts', 'webhooks/commands.ts'];
  expect(of('isSameSecret(').toSorted()).toEqual(
    doors.map((path) => `apps/connections/src/${path}`),
  );
});
