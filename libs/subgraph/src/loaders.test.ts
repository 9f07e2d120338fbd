import { expect, test } from 'vitest';
import { createGroupLoader, createLoader } from './loaders.ts';

const rows = [
  { id: 'b', of: 'x' },
  { id: 'a', of: 'x' },
];

test('many keys are one call, and each key gets its own row or null', async () => {
  const calls: (readonly string[])[] = [];
  const list = async (keys: readonly string[]) => {
    calls.push(keys);
    return rows;
  };
  const loader = createLoader<string, (typeof rows)[number]>(list, ({ id }) => id);

  expect(await Promise.all(['a', 'c', 'b'].map((key) => loader.load(key)))).toEqual([
    rows[1],
    null,
    rows[0],
  ]);
  expect(calls).toEqual([['a', 'c', 'b']]);
});

test('all rows of a key come in the order they were listed, or none', async () => {
  const loader = createGroupLoader(
    async () => rows,
    ({ of }) => of,
  );
  expect(await Promise.all([loader.load('x'), loader.load('y')])).toEqual([rows, []]);
});
