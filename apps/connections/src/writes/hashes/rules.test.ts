import type { FieldValue } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { isSameValue } from '../diff/rules.ts';
import { coversAll, hashFields, mayTrust } from './rules.ts';

const hash = (code: string, part: string) => `${code}|${part}`;
const covers = (held: FieldValue, wanted: FieldValue, existing: 'update' | 'fill_blanks') =>
  coversAll(hashFields({ f: held }, hash), { fields: { f: wanted }, existing }, hash);
const channel = (value: string) => ({ value, label: 'work', primary: false });

test.each<[string, FieldValue, FieldValue]>([
  ['text', 'Ada', 'Ada'],
  ['a number and its text', 7, '7'],
  ['blanks of two kinds', null, ''],
  ['options in another order', [3, 1], [1, 3]],
  ['one instant spelled twice', '2026-03-01T10:00:00Z', '2026-03-01T10:00:00.000Z'],
  ['an address and one with parts', addressOf('Main St 1'), addressOf('Main St 1', 'US')],
  ['one address of several', [channel('A@x.test'), channel('b@x.test')], [channel('a@x.test')]],
])('%s counts as the same, as in a comparison of values', (_, held, wanted) => {
  expect(covers(held, wanted, 'update')).toBe(true);
});

test.each<[string, FieldValue, FieldValue]>([
  ['another text', 'Ada', 'Grace'],
  ['something for nothing', null, 'Ada'],
  ['nothing for something', 'Ada', null],
  ['a new address', [channel('a@x.test')], [channel('c@x.test')]],
  ['another option', [1], [1, 2]],
])('%s counts as a difference', (_, held, wanted) => {
  expect(covers(held, wanted, 'update')).toBe(false);
  expect(isSameValue(held, wanted)).toBe(false);
});

test('where only blanks are filled, a field that holds something is as it should be', () => {
  expect(covers('Theirs', 'Ours', 'fill_blanks')).toBe(true);
  expect(covers(null, 'Ours', 'fill_blanks')).toBe(false);
});

test('a field nothing is known of is never taken for equal', () => {
  expect(coversAll({}, { fields: { f: null }, existing: 'update' }, hash)).toBe(false);
});

const early = new Date('2026-03-01T10:00:00Z');
const late = new Date('2026-03-01T11:00:00Z');
const active = { webhook_state: 'ACTIVE' as const, established_at: early };
test.each<[string, Parameters<typeof mayTrust>[1], boolean]>([
  ['the subscription works', { connection: active, health: undefined }, true],
  [
    'there is none',
    { connection: { ...active, webhook_state: 'FAILED' }, health: undefined },
    false,
  ],
  ['it fails', { connection: active, health: { state: 'FAILING', repaired_at: null } }, false],
  [
    'it was repaired since',
    { connection: active, health: { state: 'HEALTHY', repaired_at: late } },
    false,
  ],
  [
    'it was repaired before',
    { connection: active, health: { state: 'HEALTHY', repaired_at: early } },
    true,
  ],
  [
    'the company was connected anew since',
    { connection: { ...active, established_at: late }, health: undefined },
    false,
  ],
])('what was seen of a record counts or not: %s', (_, by, expected) => {
  expect(mayTrust(new Date('2026-03-01T10:30:00Z'), by)).toBe(expected);
});

function addressOf(value: string, country: string | null = null) {
  return {
    value,
    country,
    admin_area_level_1: null,
    admin_area_level_2: null,
    locality: null,
    sublocality: null,
    route: null,
    street_number: null,
    subpremise: null,
    postal_code: null,
    formatted_address: null,
  };
}
