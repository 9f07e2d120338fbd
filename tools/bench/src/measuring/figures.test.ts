import { expect, test } from 'vitest';
import { formatTable, summarize } from './figures.ts';

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
