import type { FieldDefinition, FieldValue } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { textOf } from './rules.ts';

const field: FieldDefinition = {
  object: 'deal',
  code: 'tier',
  name: 'Tier',
  type: 'set',
  custom: true,
  options: [
    { id: 1, label: 'Gold' },
    { id: 2, label: 'Silver' },
  ],
};

test.each<[FieldValue, string | null]>([
  [null, null],
  ['', null],
  [[], null],
  [1, 'Gold'],
  [[1, 2], 'Gold, Silver'],
  [[1, 9], 'Gold, 9'],
  ['text', 'text'],
  [true, 'Yes'],
  [{ value: 12.5, currency: 'EUR' }, '12.50 EUR'],
  [{ value: 12.345, currency: 'EUR' }, '12.345 EUR'],
  [{ value: 1200, currency: 'JPY' }, '1200 JPY'],
  [{ value: 3, currency: null }, '3.00'],
  [{ value: '2026-01-01', until: '2026-02-01' }, '2026-01-01 – 2026-02-01'],
  [{ value: '2026-01-01', until: null }, '2026-01-01 – …'],
  [{ value: '10:00:00', timezoneId: 3 }, '10:00:00'],
  [[{ value: 'a@b.example', label: 'work', primary: true }], 'a@b.example'],
])('%j is read as %s', (value, text) => {
  expect(textOf(field, value)).toBe(text);
});

test('without its field an option is shown by its id', () => {
  expect(textOf(undefined, [1, 2])).toBe('1, 2');
});
