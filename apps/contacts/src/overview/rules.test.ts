import { expect, test } from 'vitest';
import { fillSeries, monthBefore, seriesStart } from './rules.ts';

const now = new Date('2026-03-05T23:59:59.999Z');

test('a series has fourteen days to today in UTC, days without any included (OR-57)', () => {
  const counted = [
    { date: '2026-02-20', count: 2 },
    { date: '2026-03-05', count: 7 },
  ];
  const series = fillSeries(counted, now);
  expect(series).toHaveLength(14);
  expect(series[0]).toEqual({ date: '2026-02-20', count: 2 });
  expect(series[1]).toEqual({ date: '2026-02-21', count: 0 });
  expect(series.at(-1)).toEqual({ date: '2026-03-05', count: 7 });
});

test('a series begins with a whole day, a month is thirty times 24 hours', () => {
  expect(seriesStart(now).toISOString()).toBe('2026-02-20T00:00:00.000Z');
  expect(monthBefore(now).toISOString()).toBe('2026-02-03T23:59:59.999Z');
});
