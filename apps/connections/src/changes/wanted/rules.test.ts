import { expect, test } from 'vitest';
import type { Wanted } from './shape.ts';
import { checkWanted, pathOf, summaryOf } from './rules.ts';

type Key = Wanted['identity'][number];

const row = (change: Partial<Wanted>): Wanted => ({
  operation: undefined,
  object: 'person',
  identity: [],
  fields: [],
  existing: undefined,
  ...change,
});
const key = (kind: Key['kind'], value: string, field?: string): Key => ({ kind, value, field });
const idOf = (value: string, object: Wanted['object'] = 'person') =>
  row({ object, identity: [key('PIPEDRIVE_ID', value)] });
const pathsOf = (rows: readonly Wanted[]) => checkWanted(rows).map(({ path }) => path);

test.each(['1', '9007199254740991'])('%s can be an id', (value) => {
  expect(pathsOf([idOf(value)])).toEqual([]);
});

test.each(['0', '-1', '1.5', 'abc', '', '1e3', '9007199254740993', '12345678901234567890'])(
  '%j cannot be an id',
  (value) => {
    expect(pathsOf([idOf(value)])).toEqual(['0.identity.0.value']);
  },
);

test('a lead is known by a UUID and nothing else', () => {
  expect(pathsOf([idOf('adf21080-0e10-11eb-879b-05d71fb426ec', 'lead')])).toEqual([]);
  expect(pathsOf([idOf('12', 'lead')])).toEqual(['0.identity.0.value']);
  expect(pathsOf([idOf('adf21080-0e10-11eb-879b-05d71fb426ec', 'deal')])).toHaveLength(1);
});

test('a field given twice in one row is told by its second place', () => {
  const twice = { fields: ['name', 'note', 'name'].map((code) => ({ code, value: 'x' })) };
  expect(pathsOf([row({}), row(twice)])).toEqual(['1.fields.2.code']);
});

test.each(['UPDATE', 'DELETE'] as const)('%s needs an identity', (operation) => {
  expect(checkWanted([row({ operation })])).toMatchObject([
    { path: '0.identity', fix: 'Give its PIPEDRIVE_ID, or what it is known by.' },
  ]);
});

test('a row without an identity is a new record', () => {
  expect(pathsOf([row({}), row({ operation: 'CREATE' })])).toEqual([]);
});

test('an identity by field names the field, and one that is too short is none', () => {
  const identity = [key('FIELD', 'x'), key('FIELD', 'x', 'code'), key('EMAIL', 'a')];
  expect(pathsOf([row({ identity })])).toEqual(['0.identity.0.field', '0.identity.2.value']);
});

test('of many problems twenty are named and the rest counted', () => {
  const problems = checkWanted(Array.from({ length: 25 }, () => idOf('abc')));
  expect(summaryOf(problems)).toContain('input.changes.19.identity.0.value: ');
  expect(summaryOf(problems)).not.toContain('20.identity.0.value');
  expect(summaryOf(problems)).toMatch(/ and 5 more$/);
});

test('a problem with a stored field stands at the entry it came from', () => {
  const wanted = row({ fields: ['name', 'id'].map((code) => ({ code, value: 'x' })) });
  expect(pathOf(wanted, 'fields.id')).toBe('fields.1.code');
  expect(pathOf(wanted, 'identity.0')).toBe('identity.0');
});

test('users cannot be changed, and what can is named as the graph spells it', () => {
  expect(checkWanted([row({ object: 'user' })])).toMatchObject([
    {
      path: '0.object',
      fix: 'Use one of PERSON, ORGANIZATION, DEAL, LEAD, ACTIVITY, NOTE, PRODUCT.',
    },
  ]);
});

test.each([
  ['a text', 'a\0b'],
  ['an e-mail address', [{ value: 'a\0@example.test', label: 'work', primary: true }]],
])('%s with a NUL in it is told', (_, value) => {
  const fields = [
    { code: 'title', value: 'fine' },
    { code: 'name', value },
  ];
  expect(checkWanted([row({ fields })])).toMatchObject([
    { path: '0.fields.1.value', fix: 'Take that character out.' },
  ]);
});
