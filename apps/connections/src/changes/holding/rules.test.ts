import { expect, test } from 'vitest';
import { goesOnAt, rateOf, secondsLeft } from './rules.ts';

const now = new Date('2026-03-01T10:00:00Z');
const later = new Date('2026-03-02T00:00:00Z');
const soon = new Date('2026-03-01T10:00:01Z');

test('a pace is told from two changes on, and never of no time at all', () => {
  expect(rateOf(null)).toBeNull();
  expect(rateOf({ changes: 0, seconds: 0 })).toBeNull();
  expect(rateOf({ changes: 3, seconds: 0 })).toBeNull();
  expect(rateOf({ changes: 10, seconds: 4 })).toBe(2.5);
  expect(secondsLeft(9, 2.5)).toBe(4);
  expect(secondsLeft(9, null)).toBeNull();
});

test('work goes on with its first step, or when the set itself is looked at again', () => {
  expect(goesOnAt({ not_before: soon }, { until: later }, now)).toEqual(later);
  expect(goesOnAt({ not_before: later }, null, now)).toEqual(later);
  expect(goesOnAt({ not_before: soon }, null, now)).toBeUndefined();
});
