import type { FieldDefinition, FieldType, FieldValue, PipedriveRecord } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { requireOwn } from '../../accounts/ownership/rules.ts';
import { showValues } from './rules.ts';

const options = [
  { id: 1, label: 'Gold' },
  { id: 2, label: 'Silver' },
];
const show = (type: FieldType, value: FieldValue) => {
  const definition: FieldDefinition = {
    ...{ object: 'person', code: 'x', name: 'Field', type, custom: true, options },
  };
  const record: PipedriveRecord = {
    ...{ object: 'person', id: '1', updateTime: null, addTime: null, deleted: false },
    fields: { x: value },
  };
  return showValues(record, ['x'], [definition])[0];
};
const address = {
  ...{ value: 'Pärnu mnt 10', country: 'Estonia', admin_area_level_1: null },
  ...{ admin_area_level_2: null, locality: null, sublocality: null, route: null },
  ...{ street_number: null, subpremise: null, postal_code: null },
};

test.each<[FieldType, FieldValue, object]>([
  ['varchar', 'Ada', { text: 'Ada' }],
  ['double', 12.5, { text: '12.5', number: 12.5 }],
  ['boolean', true, { text: 'Yes', boolean: true }],
  ['enum', 2, { text: 'Silver', options: [{ id: '2', label: 'Silver' }] }],
  ['enum', 9, { text: '9', options: [{ id: '9', label: '9' }] }],
  ['set', [1, 2], { text: 'Gold, Silver' }],
  [
    'monetary',
    { value: 5, currency: 'EUR' },
    { text: '5 EUR', money: { amount: '5', currency: 'EUR' } },
  ],
  ['monetary', { value: 5, currency: null }, { text: '5', number: 5, money: null }],
  ['daterange', { value: '2026-01-01', until: '2026-02-01' }, { text: '2026-01-01 – 2026-02-01' }],
  ['time', { value: '09:00:00', timezoneId: 1 }, { text: '09:00:00' }],
  ['address', { ...address, formatted_address: null }, { text: 'Pärnu mnt 10' }],
  ['address', { ...address, formatted_address: 'Pärnu 10, EE' }, { text: 'Pärnu 10, EE' }],
  ['org', 7, { text: '7', pipedriveId: '7' }],
  [
    'emails',
    [
      { value: 'a@x.test', label: 'work', primary: false },
      { value: 'b@x.test', label: 'home', primary: true },
    ],
    { text: 'b@x.test' },
  ],
  ['varchar', null, { text: null, options: [], entries: [] }],
])('a %s that is %j is shown for people and for programs', (type, value, expected) => {
  expect(show(type, value)).toMatchObject({ code: 'x', name: 'Field', type, ...expected });
});

test('a personal connection shows what its own user may see, to nobody else', () => {
  const personal = { id: 'cn', kind: 'PERSONAL', user_id: 'us_1' } as const;
  expect(() => requireOwn(personal, 'us_2', 'id')).toThrow('of another person');
  expect(() => requireOwn(personal, 'us_1', 'id')).not.toThrow();
  expect(() => requireOwn({ ...personal, kind: 'ORGANIZATION' }, 'us_2', 'id')).not.toThrow();
});
