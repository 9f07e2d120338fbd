import type { FieldDefinition } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { type Default, readDefaults } from './rules.ts';

const catalogue: FieldDefinition[] = [
  { object: 'lead', code: 'owner_id', name: 'Owner', type: 'user', custom: false },
  {
    object: 'lead',
    code: 'label_ids',
    name: 'Labels',
    type: 'set',
    custom: false,
    options: [{ id: 'uuid-1', label: 'Referral' }],
  },
  {
    object: 'lead',
    code: 'add_time',
    name: 'Added',
    type: 'datetime',
    custom: false,
    readOnly: true,
  },
];
const lead = (field: string, value: Default['value']): Default => ({
  object: 'lead',
  field,
  value,
});

test.each([
  ['fits', [lead('owner_id', 7), lead('label_ids', ['Referral'])], undefined, undefined],
  [
    'goes to no field',
    [lead('owner_id', 7), lead('stage', 1)],
    'unknown_field',
    'input.defaults.1',
  ],
  ['names no option', [lead('label_ids', ['Cold'])], 'unknown_option', 'input.defaults.0'],
  ['goes where nobody writes', [lead('add_time', 'x')], 'invalid_input', 'input.defaults.0'],
])('a default that %s (RF-19)', (_, given, reason, field) => {
  const { defaults, refusal } = readDefaults(given, catalogue);
  expect([refusal?.detail.reason, refusal?.detail.field]).toEqual([reason, field]);
  expect(defaults.rows.every(({ createOnly }) => createOnly)).toBe(true);
});

test('what is wrong with a default is said in words', () => {
  const { refusal } = readDefaults([lead('label_ids', ['Cold'])], catalogue);
  expect(refusal?.message).toContain('the field has no such option');
});

test('only the fields the defaults name are kept', () => {
  const { defaults } = readDefaults([lead('owner_id', 7)], catalogue);
  expect(defaults.catalogue.map(({ code }) => code)).toEqual(['owner_id']);
});
