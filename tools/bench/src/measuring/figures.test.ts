import { expect, test } from 'vitest';
import { type Figure, formatTable, judge, summarize } from './figures.ts';

test.each([
  ['one sample is its own middle', [7], { min: 7, median: 7, max: 7 }],
  ['an odd count has a middle sample', [30, 10, 2], { min: 2, median: 10, max: 30 }],
  ['an even count has its middle between two', [4, 1, 3, 100], { min: 1, median: 3.5, max: 100 }],
])('%s', (_, samples, expected) => {
  const summary = summarize({ name: 'x', unit: 's', samples });
  expect(summary).toEqual({ name: 'x', unit: 's', count: samples.length, ...expected });
});

test('a figure without a sample is refused', () => {
  expect(() => summarize({ name: 'latency', unit: 'ms', samples: [] })).toThrow(
    'latency was not measured',
  );
});

test('the table shows three digits that count, to the right', () => {
  const figures = [
    { name: 'rate', unit: '/s', samples: [1234.5] },
    { name: 'ratio', unit: '', samples: [1.234, 12.34] },
  ];
  expect(formatTable(figures.map(summarize)).split('\n')).toEqual([
    '       unit  samples   min  median   max',
    'rate   /s          1  1235    1235  1235',
    'ratio              2  1.23    6.79  12.3',
  ]);
});

test.each<[string, Figure['goal'], boolean]>([
  ['at least its median', { of: 'median', atLeast: 2 }, true],
  ['at least more than its smallest', { of: 'min', atLeast: 2 }, false],
  ['below its largest', { of: 'max', below: 3 }, false],
  ['below more than its largest', { of: 'max', below: 3.1 }, true],
])('of 1, 2 and 3, a goal of %s is judged', (_, goal, met) => {
  const figure = { name: 'share', unit: 'ratio', samples: [3, 1, 2] };
  expect(judge({ ...figure, ...(goal && { goal }) })?.met).toBe(met);
});

test('what was asked and what came of it is said in words', () => {
  const goal = { of: 'median', atLeast: 0.85 } as const;
  expect(judge({ name: 'use', unit: 'ratio', samples: [0.5], goal })?.text).toBe(
    'MISSED: use: median 0.50, has to be at least 0.85',
  );
  expect(judge({ name: 'use', unit: 'ratio', samples: [0.5] })).toBeUndefined();
});
