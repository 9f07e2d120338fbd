import type { VariableType, VariableValue } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { channelsOf, viewVariable, viewVariables } from './rules.ts';

const defined = (type: VariableType) => new Map([['v', { key: 'v', label: 'V', type }]]);
const channel = { value: 'a@b.c', label: 'work', primary: true };

test.each([
  ['text', 'Ada', { text: 'Ada', type: 'TEXT' }],
  ['number', 7.5, { text: '7.5', number: 7.5 }],
  ['boolean', false, { text: 'false', boolean: false }],
  ['date', '2026-03-01', { text: '2026-03-01', date: '2026-03-01' }],
  ['option', 'Retail', { text: 'Retail', options: ['Retail'] }],
  ['multiple_options', ['A', 'B'], { text: 'A, B', options: ['A', 'B'] }],
  [
    'money',
    { amount: 5, currency: 'EUR' },
    { text: '5 EUR', number: 5, money: { amount: '5', currency: 'EUR' } },
  ],
  ['money', { amount: 5, currency: null }, { text: '5', number: 5, money: null }],
  ['date_range', { start: '2026-03-01', end: null }, { range: { start: '2026-03-01', end: null } }],
  ['email_list', [channel], { text: 'a@b.c', channels: [channel] }],
] satisfies [VariableType, VariableValue, object][])(
  'a variable of type %s shows %j',
  (type, value, view) => {
    expect(viewVariable('v', { v: value }, defined(type))).toMatchObject(view);
  },
);

test('a variable that holds nothing is not shown', () => {
  expect(viewVariables({ v: null, w: '', x: [] }, defined('text'))).toEqual([]);
});

test.each([
  ['x', 'TEXT'],
  [1, 'NUMBER'],
  [true, 'BOOLEAN'],
  [['a'], 'MULTIPLE_OPTIONS'],
  [{ amount: 1, currency: 'EUR' }, 'MONEY'],
  [{ start: null, end: 'x' }, 'DATE_RANGE'],
])('a variable no mapping names any more shows itself by its value %j', (value, type) => {
  expect(viewVariable('old', { old: value }, new Map())).toMatchObject({ label: 'old', type });
});

test('every address comes from the list, or from the single one where there is no list', () => {
  const values = { v: [channel] };
  expect(channelsOf('email', { values, single: 'x@y.z' }, defined('email_list'))).toEqual([
    channel,
  ]);
  expect(channelsOf('email', { values, single: 'x@y.z' }, new Map())).toEqual([
    { value: 'x@y.z', label: '', primary: true },
  ]);
  expect(channelsOf('phone', { values, single: '' }, new Map())).toEqual([]);
});
