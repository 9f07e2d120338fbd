import type { VariableType } from '@manifold/contracts';
import { describe, expect, test } from 'vitest';
import { evaluate, valueOf } from '../../test/evaluate.ts';
import type { ValueSchema } from '../schema.ts';

const typed = (schema: ValueSchema, value: unknown, source: string): unknown => {
  const outcome = evaluate(source, { v: value }, { variables: { v: schema } });
  return outcome.outcome === 'value' ? outcome.value : outcome.code;
};

describe('SL-46 numbers', () => {
  test.each([
    ['integer', 7, 'v / 2', 3],
    ['number', 7, 'v / 2', 3.5],
    ['any', 7, 'v / 2', 3],
    ['any', 7.5, 'v / 2', 3.75],
    ['number', 7, 'v == 7', true],
    ['integer', 7, 'v * 1.5', 10.5],
    ['number', 133, 'v + 1', 134],
    ['integer', 7, '2.5 - v', -4.5],
  ] as const)('declared %s, %d: %s gives %d', (schema, value, source, expected) => {
    expect(typed(schema, value, source)).toBe(expected);
  });

  test('too big to be exact are texts, unless a number is wanted', () => {
    expect(valueOf('9007199254740991')).toBe(9007199254740991);
    expect(valueOf('9007199254740992')).toBe('9007199254740992');
    expect(evaluate('9007199254740992', {}, { resultType: 'number' })).toMatchObject({
      code: 'number_overflow',
    });
  });

  test('that only look whole are kept as they are', () => {
    expect(valueOf('v', { v: 1e21 })).toBe(1e21);
    expect(valueOf('v', { v: -0.1 })).toBe(-0.1);
  });
});

describe('SL-46 what is null', () => {
  test('is not there as a member, and keeps its place in a list', () => {
    expect(valueOf('has(v.a)', { v: { a: null } })).toBe(false);
    expect(valueOf('v.size()', { v: { a: null, b: 1 } })).toBe(1);
    expect(valueOf('v', { v: [null, 1] })).toEqual([null, 1]);
    expect(valueOf('v.filter(e, e != null)', { v: [null, 1] })).toEqual([1]);
  });

  test('empties the field when it is the result', () => {
    expect(evaluate('dyn(null)', {}, { resultType: 'money' })).toEqual({
      outcome: 'value',
      value: null,
    });
    expect(evaluate('v.?a', { v: {} }, { resultType: 'text' })).toEqual({
      outcome: 'value',
      value: null,
    });
  });
});

describe('SL-46 times', () => {
  test.each([
    ['datetime', '2024-05-01T10:00:00+02:00', 'v', '2024-05-01T08:00:00Z'],
    ['date', '2024-05-01', 'v + duration("24h")', '2024-05-02T00:00:00Z'],
    ['datetime', '2024-05-01T10:00:00Z', 'v - timestamp("2024-05-01T09:00:00Z")', '3600s'],
    ['datetime', 'yesterday', 'v.getHours()', 'wrong_type'],
    ['text', '2024-05-01T10:00:00Z', 'timestamp(v).getHours()', 10],
  ] as const)('declared %s, %s: %s gives %s', (schema, value, source, expected) => {
    expect(typed(schema, value, source)).toBe(expected);
  });
});

test.each<[VariableType, string, unknown]>([
  ['text', '1', '1'],
  ['text', 'true', 'true'],
  ['text', 'duration("1h")', '3600s'],
  ['text', 'timestamp("2024-05-01T10:00:00Z")', '2024-05-01T10:00:00Z'],
  ['number', '2u', 2],
  ['number', '2.5', 2.5],
  ['boolean', '1 > 0', true],
  ['date', '"2024-05-01"', '2024-05-01'],
  ['date', '"2024-02-30"', 'wrong_result'],
  ['date', 'timestamp("2024-05-01T23:00:00Z")', '2024-05-01'],
  ['datetime', '"2024-05-01"', '2024-05-01T00:00:00Z'],
  ['datetime', '"2024-05-01T10:00:00.5+02:00"', '2024-05-01T08:00:00.500Z'],
  ['time', 'timestamp("2024-05-01T23:00:00Z")', '23:00:00'],
  ['time', '"25:00:00"', 'wrong_result'],
  ['option', '5', '5'],
  ['multiple_options', '["a", "b"]', ['a', 'b']],
  ['multiple_options', '[1, dyn("a")]', 'wrong_result'],
  ['money', '12.5', { amount: 12.5, currency: null }],
  ['money', '{"amount": dyn(5), "currency": "EUR"}', { amount: 5, currency: 'EUR' }],
  ['money', '{"amount": dyn(5), "currency": "euro"}', 'wrong_result'],
  ['money', '{"currency": "EUR"}', 'wrong_result'],
  ['money', '{"amount": 5, "cents": 1}', 'wrong_result'],
  ['date_range', '{"start": "2024-05-01"}', { start: '2024-05-01', end: null }],
  [
    'time_range',
    '{"start": "09:00:00", "end": "17:00:00"}',
    { start: '09:00:00', end: '17:00:00' },
  ],
  ['email', '"a@x.test"', 'a@x.test'],
  ['email', '"nobody"', 'wrong_result'],
  ['email_list', '["a@x.test"]', [{ value: 'a@x.test', label: 'work', primary: true }]],
  ['phone', '"+49 30 123"', '+49 30 123'],
])('SL-48 as a value of type %s, %s is %j', (resultType, source, expected) => {
  const outcome = evaluate(source, {}, { resultType });
  expect(outcome.outcome === 'value' ? outcome.value : outcome.code).toEqual(expected);
});
