import type { FieldDefinition, FieldType, FieldValue, PipedriveObject } from '@manifold/contracts';
import { describe, expect, test } from 'vitest';
import { checkValue, findMisfit, findMissing } from './rules.ts';

const CODE = 'a'.repeat(40);
const options = [
  { id: 12, label: 'Gold' },
  { id: 13, label: 'Silver' },
  { id: 14, label: 'silver' },
];

const fieldOf = (type: FieldType, more: Partial<FieldDefinition> = {}): FieldDefinition => ({
  object: 'person',
  code: CODE,
  name: 'Tier',
  type,
  custom: true,
  ...(type === 'enum' || type === 'set' ? { options } : {}),
  ...more,
});

const reasonOf = (type: FieldType, value: FieldValue, more: Partial<FieldDefinition> = {}) =>
  checkValue(fieldOf(type, more), value, { mayBeBlank: false })?.reason;

const address = {
  value: '1 Main Street',
  ...{ country: null, admin_area_level_1: null, admin_area_level_2: null, locality: null },
  ...{ sublocality: null, route: null, street_number: null, subpremise: null },
  ...{ postal_code: null, formatted_address: null },
};
const work = (value: string) => ({ value, label: 'work', primary: true });

describe('what Pipedrive takes is let through', () => {
  test.each<[FieldType, FieldValue]>([
    ['varchar', 'a'.repeat(255)],
    ['text', 'a'.repeat(300)],
    ['int', 0],
    ['double', 12.5],
    ['boolean', false],
    ['monetary', { value: 12.5, currency: 'EUR' }],
    ['date', '2028-02-29'],
    ['datetime', '2026-12-31T10:00:00Z'],
    ['daterange', { value: '2026-12-01', until: '2026-12-31' }],
    ['time', { value: '10:00:00', timezoneId: null }],
    ['timerange', { value: '10:00', until: null, timezoneId: 3 }],
    ['enum', 12],
    ['set', [12, 13]],
    ['set', []],
    ['user', 7],
    ['lead', 'adf21080-0e10-11eb-879b-05d71fb426ec'],
    ['address', address],
    ['emails', [work('a@b.example')]],
    ['unknown', 'whatever'],
    ['varchar', null],
  ])('%s: %j', (type, value) => {
    expect(reasonOf(type, value)).toBeUndefined();
  });
});

describe('what Pipedrive must refuse is seen before', () => {
  test.each<[FieldType, FieldValue]>([
    ['varchar', 12],
    ['varchar', 'a'.repeat(256)],
    ['int', 1.5],
    ['double', '12.5'],
    ['boolean', 'true'],
    ['monetary', 12.5],
    ['monetary', { value: 12.5, currency: 'QQQ' }],
    ['monetary', { value: 12.5, currency: null }],
    ['date', '31.12.2026'],
    ['date', '2026-02-30'],
    ['datetime', 'tomorrow'],
    ['daterange', { value: '31.12.2026', until: null }],
    ['time', { value: '25:00:00', timezoneId: null }],
    ['enum', [12]],
    ['enum', '12'],
    ['set', 12],
    ['set', [12, 12]],
    ['user', '7'],
    ['org', -1],
    ['people', 1.5],
    ['lead', 'lead'],
    ['address', '1 Main Street'],
    ['emails', 'a@b.example'],
    ['emails', ['a@b.example']],
    ['phones', [work('1'), work('2')]],
  ])('%s: %j', (type, value) => {
    expect(reasonOf(type, value)).toBe('field_type_mismatch');
  });

  test('an option that does not exist', () => {
    expect(reasonOf('enum', 99)).toBe('unknown_option');
    expect(reasonOf('set', [12, 99])).toBe('unknown_option');
  });
});

test('a label given for an option is answered with the id it stands for', () => {
  const check = (value: string) => checkValue(fieldOf('enum'), value, { mayBeBlank: false });
  expect(check('gold')?.fix).toBe('This is the label of an option: give its id, 12.');
  expect(check('Silver')?.fix).toContain('2 options have this label');
  expect(check('Bronze')?.fix).toContain('12 (Gold), 13 (Silver)');
});

test('the words name the field and what it takes, and never the value', () => {
  const misfit = checkValue(fieldOf('double'), 'private text', { mayBeBlank: false });
  expect(misfit).toMatchObject({ code: CODE, cause: `The field Tier (${CODE}) takes a number.` });
  expect(JSON.stringify(misfit)).not.toContain('private');
});

test.each<[PipedriveObject, string]>([
  ['person', 'name'],
  ['organization', 'name'],
  ['deal', 'title'],
  ['lead', 'title'],
  ['note', 'content'],
])('a %s is not left without its %s', (object, code) => {
  const name = { object, code, custom: false };
  expect(reasonOf('varchar', null, name)).toBe('field_type_mismatch');
  expect(reasonOf('varchar', '', name)).toBe('field_type_mismatch');
});

test('what is written in the older form takes an option’s id and an address as text', () => {
  expect(reasonOf('enum', '12', { object: 'lead' })).toBeUndefined();
  expect(reasonOf('address', '1 Main Street', { object: 'lead' })).toBeUndefined();
  expect(reasonOf('boolean', 1, { object: 'note', custom: false })).toBeUndefined();
});

test('a deal may have an amount without a currency', () => {
  const value = { object: 'deal', code: 'value', custom: false } as const;
  expect(reasonOf('monetary', { value: 1, currency: null }, value)).toBeUndefined();
});

test('of a step the first wrong value is told, blanks that write nothing aside', () => {
  const catalogue = new Map([
    ['name', fieldOf('varchar', { code: 'name', name: 'name', custom: false })],
    [CODE, fieldOf('double')],
  ]);
  const step = { fields: { name: 'Ada' }, createOnlyFields: {}, existing: 'update' as const };
  expect(findMisfit(step, catalogue)).toBeUndefined();
  expect(findMisfit({ ...step, createOnlyFields: { [CODE]: 'x' } }, catalogue)?.code).toBe(CODE);
  expect(findMisfit({ ...step, fields: { gone: 1 } }, catalogue)?.reason).toBe('unknown_field');
  const blank = { ...step, fields: { name: null } };
  expect(findMisfit(blank, catalogue)?.cause).toBe('The field name cannot be blank.');
  expect(findMisfit({ ...blank, existing: 'fill_blanks' }, catalogue)).toBeUndefined();
});

test.each<[PipedriveObject, string[], boolean]>([
  ['person', ['emails'], true],
  ['person', ['first_name'], false],
  ['organization', ['name'], false],
  ['lead', ['title'], true],
  ['lead', ['title', 'person_id'], false],
  ['note', ['content', 'deal_id'], false],
  ['activity', [], false],
])('a new %s of %j lacks something: %s', (object, codes, isLacking) => {
  expect(findMissing(object, codes) !== undefined).toBe(isLacking);
});
