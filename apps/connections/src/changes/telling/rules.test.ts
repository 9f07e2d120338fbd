import { expect, test } from 'vitest';
import { isProgress, mayBeTold } from './rules.ts';

test('a set is told of at once, then once a second at most', () => {
  expect(mayBeTold(undefined, 0)).toBe(true);
  expect(mayBeTold({ at: 0, left: 5 }, 999)).toBe(false);
  expect(mayBeTold({ at: 0, left: 5 }, 1_000)).toBe(true);
});

test.each([
  ['a first look', undefined, 5, true],
  ['fewer are left', { at: 0, left: 5 }, 4, true],
  ['as many are left', { at: 0, left: 5 }, 5, false],
  ['a stretch of planning, which nobody counts', { at: 0, left: undefined }, undefined, true],
])('%s is progress: %#', (_, told, left, expected) => {
  expect(isProgress(told, left)).toBe(expected);
});
