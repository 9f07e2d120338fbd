import type { FieldValue } from '@manifold/contracts';
import { describe, expect, test } from 'vitest';
import { carries, decideChanges, fieldsOfNew, isSameValue } from './rules.ts';

const mail = (value: string, primary = false, label = 'work') => ({ value, label, primary });

describe('what an update writes', () => {
  test.each<
    [string, Record<string, FieldValue>, Record<string, FieldValue>, Record<string, FieldValue>]
  >([
    ['nothing when all is as wished', { name: 'Ada', score: 3 }, { name: 'Ada' }, {}],
    ['only what differs', { name: 'Ada', score: 3 }, { name: 'Ada', score: 4 }, { score: 4 }],
    ['a field the record did not show', {}, { score: 4 }, { score: 4 }],
    ['null, to clear', { score: 3 }, { score: null }, { score: null }],
    ['nothing to clear what is empty', { score: null }, { score: null }, {}],
    ['text for a number alike', { option: 12 }, { option: '12' }, {}],
    ['options in any order', { set: [3, 1] }, { set: [1, 3] }, {}],
    ['other options', { set: [3, 1] }, { set: [3] }, { set: [3] }],
    [
      'the whole list for one more address',
      { emails: [mail('a@x.test', true)] },
      { emails: [mail('b@x.test', true)] },
      { emails: [mail('a@x.test', true), mail('b@x.test')] },
    ],
    [
      'nothing for an address in other case',
      { emails: [mail('A@x.test', true)] },
      { emails: [mail('a@X.test')] },
      {},
    ],
    [
      'nothing that would empty a list of addresses',
      { emails: [mail('a@x.test', true)] },
      { emails: [] },
      {},
    ],
    [
      'nothing that would clear a list of addresses',
      { emails: [mail('a@x.test', true)] },
      { emails: null },
      {},
    ],
    [
      'the first address as primary',
      { emails: [] },
      { emails: [mail('a@x.test', true)] },
      { emails: [mail('a@x.test', true)] },
    ],
    [
      'nothing for a number spelled otherwise',
      { phones: [mail('+44 (20) 79', true)] },
      { phones: [mail('+442079')] },
      {},
    ],
  ])('%s', (_, existing, wanted, changes) => {
    expect(decideChanges(existing, wanted, 'update')).toEqual(changes);
  });

  test.each<
    [string, Record<string, FieldValue>, Record<string, FieldValue>, Record<string, FieldValue>]
  >([
    ['a blank', { name: null }, { name: 'Ada' }, { name: 'Ada' }],
    [
      'an empty list',
      { emails: [] },
      { emails: [mail('a@x.test', true)] },
      { emails: [mail('a@x.test', true)] },
    ],
    ['nothing that has a value', { name: 'Grace' }, { name: 'Ada' }, {}],
    [
      'no list that has an entry',
      { emails: [mail('a@x.test')] },
      { emails: [mail('b@x.test')] },
      {},
    ],
    ['nothing with nothing', { name: null }, { name: null }, {}],
  ])('where only blanks are filled, it fills %s', (_, existing, wanted, changes) => {
    expect(decideChanges(existing, wanted, 'fill_blanks')).toEqual(changes);
  });

  test('a record that is left alone gets nothing', () => {
    expect(decideChanges({ name: null }, { name: 'Ada' }, 'leave')).toEqual({});
  });
});

describe('two values are the same', () => {
  const address = (value: string, locality: string | null) => ({
    value,
    country: null,
    admin_area_level_1: null,
    admin_area_level_2: null,
    locality,
    sublocality: null,
    route: null,
    street_number: null,
    subpremise: null,
    postal_code: null,
    formatted_address: null,
  });
  test.each<[string, FieldValue, FieldValue, boolean]>([
    ['empty text and null', '', null, true],
    ['an empty list and null', [], null, true],
    ['zero and null', 0, null, false],
    ['false and null', false, null, false],
    ['one instant in two spellings', '2026-03-01T10:00:00Z', '2026-03-01T10:00:00.000Z', true],
    ['two texts that are no instants', '2026', '2026-01-01', false],
    ['money in one currency', { value: 5, currency: 'EUR' }, { value: 5, currency: 'EUR' }, true],
    [
      'money in two currencies',
      { value: 5, currency: 'EUR' },
      { value: 5, currency: 'USD' },
      false,
    ],
    [
      'money whose currency is left to Pipedrive',
      { value: 5, currency: 'EUR' },
      { value: 5, currency: null },
      true,
    ],
    [
      'an address with parts derived',
      address('Main St 1', 'Tallinn'),
      address('Main St 1', null),
      true,
    ],
    ['two addresses', address('Main St 1', null), address('Main St 2', null), false],
    [
      'ranges with another end',
      { value: '2026-01-01', until: '2026-02-01' },
      { value: '2026-01-01', until: null },
      false,
    ],
    [
      'a time whose zone has a number',
      { value: '10:00:00', timezoneId: 4 },
      { value: '10:00:00', timezoneId: null, timezoneName: 'Europe/Tallinn' },
      true,
    ],
    ['a list and a text', ['a'], 'a', false],
  ])('%s: %j, %j', (_, one, other, expected) => {
    expect(isSameValue(one, other)).toBe(expected);
    expect(isSameValue(other, one)).toBe(expected);
  });
});

test('a new record has what it is known by, then defaults, then what is wished; blanks are left out', () => {
  expect(
    fieldsOfNew({
      identity: [
        { kind: 'email', value: 'a@x.test' },
        { kind: 'field', field: 'code', value: 'k' },
      ],
      createOnlyFields: { owner_id: 1, name: 'Default' },
      fields: { name: 'Ada', score: null, phones: [] },
    }),
  ).toEqual({
    emails: [{ value: 'a@x.test', label: 'work', primary: true }],
    code: 'k',
    owner_id: 1,
    name: 'Ada',
  });
});

test('a record carries what was sent when nothing would have to be written', () => {
  const sent = { name: 'Ada', emails: [mail('a@x.test', true)] };
  expect(carries({ fields: { ...sent, score: 4 } }, sent)).toBe(true);
  expect(carries({ fields: { name: 'Ada' } }, sent)).toBe(false);
});
