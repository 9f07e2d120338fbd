import { describe, expect, test } from 'vitest';
import type { ObjectSize, Sizes } from '../store.ts';
import { addPage, addTold, estimatePrice, estimateTotal, unsizedObjects } from './rules.ts';

const size = (changes: Partial<ObjectSize>): ObjectSize => ({
  ...{ count: null, highestId: null, done: 0, lastId: 0, finished: false, ...changes },
});
const none = size({ done: 0, finished: true });

describe('the total of a run is', () => {
  test.each<[string, Partial<ObjectSize>, number | null]>([
    ['unknown while nobody told a size', {}, null],
    ['what was counted', { count: 120 }, 120],
    ['at most the highest id before the first page', { highestId: 1_000 }, 1_000],
    ['by the share of ids that are taken', { highestId: 1_000, done: 50, lastId: 100 }, 500],
    ['nearer with every page', { highestId: 1_000, done: 300, lastId: 500 }, 600],
    ['exact when everything is read', { highestId: 1_000, done: 640, finished: true }, 640],
    ['never less than what is done', { highestId: 100, done: 130, lastId: 160 }, 130],
    ['never less than what is done, counted', { count: 100, done: 130 }, 130],
  ])('%s', (_, changes, total) => {
    expect(estimateTotal({ organization: none, person: size(changes) })).toBe(total);
  });

  test('the sum of both objects, and unknown while one of them is', () => {
    const organization = size({ count: 20 });
    expect(estimateTotal({ organization, person: size({ highestId: 30 }) })).toBe(50);
    expect(estimateTotal({ organization })).toBeNull();
  });
});

describe('the price of a run is', () => {
  test.each<[string, Sizes, number | null]>([
    ['unknown while a size is', { person: size({ count: 1 }) }, null],
    [
      'what was spent and ten tokens for every page to come',
      { organization: size({ highestId: 501 }), person: size({ count: 1_200, done: 500 }) },
      20 + 20 + 20,
    ],
    ['a page also for nothing', { organization: size({ count: 0 }), person: none }, 20 + 10],
    ['what was spent, at the end', { organization: none, person: none }, 20],
  ])('%s', (_, sizes, price) => {
    expect(estimatePrice({ sizes, cost_tokens: 20 })).toBe(price);
  });
});

test('pages add up, and the last one makes the size exact', () => {
  const told = addTold({}, { person: { count: null, highestId: 40 } });
  const one = addPage(told, 'person', { ids: ['2', '10'], isLast: false });
  const two = addPage(one, 'person', { ids: ['30'], isLast: true });
  expect(one.person).toMatchObject({ done: 2, lastId: 10, finished: false });
  expect(two.person).toMatchObject({ done: 3, lastId: 30, finished: true });
});

test('only what is not known is asked for again, and what is known stays', () => {
  const told = addTold({}, { person: { count: null, highestId: 40 } });
  expect(unsizedObjects(told)).toEqual(['organization']);
  const again = addTold(told, {
    organization: { count: 3, highestId: null },
    person: { count: 99, highestId: 99 },
  });
  expect(again).toMatchObject({ organization: { count: 3 }, person: { highestId: 40 } });
  expect(unsizedObjects(again)).toEqual([]);
});
