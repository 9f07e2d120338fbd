import { expect, test } from 'vitest';
import { createSlots } from './slots.ts';

/** Work that goes on until it is let go, and notes when it began. */
function createWork() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    work: (name: string) => () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    },
    end: async (name: string) => {
      ends.get(name)?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('one kind has its share at most, and what comes behind it passes', async () => {
  const { run } = createSlots({ total: 4, each: 2 });
  const { begun, work, end } = createWork();
  for (const name of ['a1', 'a2', 'a3', 'b1']) void run(name[0] ?? '', work(name));

  await end('none');
  expect(begun).toEqual(['a1', 'a2', 'b1']);
  await end('a1');
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3']);
});

test('all together keep the limit, and take turns as they came', async () => {
  const { run, countWaiting } = createSlots({ total: 2, each: 2 });
  const { begun, work, end } = createWork();
  for (const name of ['a', 'b', 'c', 'd']) void run(name, work(name));

  await end('none');
  expect([begun, countWaiting()]).toEqual([['a', 'b'], 2]);
  await end('b');
  expect(begun).toEqual(['a', 'b', 'c']);
});

test('work that fails makes room as well', async () => {
  const { run } = createSlots({ total: 1, each: 1 });
  await expect(run('a', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  await expect(run('a', async () => 'done')).resolves.toBe('done');
});
