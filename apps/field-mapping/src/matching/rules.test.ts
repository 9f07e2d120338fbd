import type { FieldDefinition, FieldType, PipedriveObject } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { suggestRows } from './rules.ts';

const field = (
  object: PipedriveObject,
  code: string,
  type: FieldType,
  more: Partial<FieldDefinition> = {},
): FieldDefinition => ({ object, code, name: code, type, custom: false, ...more });

const custom = (object: PipedriveObject, letter: string, name: string, type: FieldType) =>
  field(object, letter.repeat(40), type, { name, custom: true });

const from = (catalogue: FieldDefinition[]) =>
  suggestRows('CONTACTS_FROM_PIPEDRIVE', catalogue).map(({ source, target }) => {
    const part = 'part' in source && source.part ? `/${source.part}` : '';
    const code = 'field' in source ? source.field : '';
    const type = 'type' in target ? target.type : '';
    return `${source.object}.${code}${part} → ${target.object}.${target.field} ${type}`;
  });

test.each([
  ['a standard field', [field('person', 'name', 'varchar')], ['person.name → contact.name text']],
  [
    'the addresses of a person',
    [field('person', 'emails', 'emails')],
    ['person.emails/primary → contact.email email', 'person.emails → contact.emails email_list'],
  ],
  [
    'the numbers of a person',
    [field('person', 'phones', 'phones')],
    ['person.phones/primary → contact.phone phone', 'person.phones → contact.phones phone_list'],
  ],
  [
    'a custom field of an organization, by its name',
    [custom('organization', 'a', 'Annual Budget (€)', 'monetary')],
    [`organization.${'a'.repeat(40)} → account.annual_budget money`],
  ],
  [
    'a custom field that takes no key of a standard one',
    [custom('person', 'b', 'Name', 'varchar'), field('person', 'name', 'varchar')],
    ['person.name → contact.name text', `person.${'b'.repeat(40)} → contact.name_bbbbbb text`],
  ],
  [
    'a custom field whose name has no letters of ours',
    [custom('person', 'c', '予算', 'double')],
    [`person.${'c'.repeat(40)} → contact.field_cccccc number`],
  ],
  ['what Pipedrive counts', [field('person', 'notes_count', 'int', { readOnly: true })], []],
  ['what cannot be mapped', [custom('person', 'd', 'Picture', 'picture')], []],
  ['fields of other objects', [field('deal', 'title', 'varchar')], []],
])('contacts are offered %s', (_, catalogue, rows) => {
  expect(from(catalogue)).toEqual(rows);
});

const referralTargets = (catalogue: FieldDefinition[]) =>
  suggestRows('REFERRALS_TO_PIPEDRIVE', catalogue).map(({ source, target }) => [
    'field' in source ? source.field : '',
    `${target.object}.${target.field}`,
  ]);

test('a referral mapping starts with name, e-mail and title (RF-12) (RF-13) (RF-14)', () => {
  expect(referralTargets([])).toEqual([
    ['first_name', 'person.name'],
    ['email', 'person.emails'],
    ['campaign_name', 'lead.title'],
  ]);
});

test('custom fields made for referral metrics are found by name (RF-03)', () => {
  const catalogue = [
    custom('lead', 'a', 'Referral link', 'varchar'),
    custom('lead', 'b', 'Referral count', 'double'),
    custom('lead', 'c', 'Converted referrals', 'double'),
    custom('lead', 'd', 'Campaign', 'varchar'),
    // a date holds no count
    custom('person', 'e', 'Source', 'date'),
  ];
  expect(referralTargets(catalogue).slice(3)).toEqual([
    ['referral_link', `lead.${'a'.repeat(40)}`],
    ['referral_count', `lead.${'b'.repeat(40)}`],
    ['converted_count', `lead.${'c'.repeat(40)}`],
    ['campaign_name', `lead.${'d'.repeat(40)}`],
  ]);
});
