import type { FieldDefinition, MappingRow } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { findProblems, sourceOf, statusOf, usualPolicy } from './rules.ts';

const catalogue: FieldDefinition[] = [
  { object: 'person', code: 'name', name: 'Name', type: 'varchar', custom: false },
  { object: 'person', code: 'emails', name: 'Email', type: 'emails', custom: false },
  { object: 'person', code: 'birthday', name: 'Birthday', type: 'date', custom: false },
  { object: 'lead', code: 'title', name: 'Title', type: 'varchar', custom: false },
];

const toPerson = (source: string, field: string): MappingRow => ({
  id: `person.${field}`,
  source: { object: 'referral', field: source, type: source === 'email' ? 'email' : 'text' },
  target: { object: 'person', field },
});
const name = toPerson('first_name', 'name');
const email = toPerson('email', 'emails');
const titleFrom = (field: string): MappingRow => ({
  id: 'lead.title',
  source: { object: 'referral', field, type: 'text' },
  target: { object: 'lead', field: 'title' },
});

const working = (rows: MappingRow[]) => ({
  purpose: 'REFERRALS_TO_PIPEDRIVE' as const,
  rows,
  policy: usualPolicy('REFERRALS_TO_PIPEDRIVE'),
});
const targetsAtFault = (rows: MappingRow[]) =>
  findProblems(working(rows), catalogue).map(({ code, target }) => `${code} ${target}`);

test.each([
  ['name, e-mail and title are there (RF-15)', [name, email, titleFrom('campaign_name')], []],
  ['a field of the form gives the title (RF-17)', [name, email, titleFrom('company')], []],
  [
    'nothing gives a name (RF-12)',
    [email, titleFrom('source')],
    ['required_target_missing person.name'],
  ],
  [
    'the name comes from elsewhere (RF-12)',
    [toPerson('company', 'name'), email, titleFrom('source')],
    ['required_target_missing person.name'],
  ],
  [
    'nothing gives an e-mail (RF-13)',
    [name, titleFrom('source')],
    ['required_target_missing person.emails'],
  ],
  ['nothing gives a title (RF-14)', [name, email], ['required_target_missing lead.title']],
  [
    'nothing is mapped: one problem per target (RF-18)',
    [],
    [
      'required_target_missing person.name',
      'required_target_missing person.emails',
      'required_target_missing lead.title',
    ],
  ],
  [
    'a field is gone',
    [name, email, titleFrom('source'), toPerson('last_name', 'surname')],
    ['unknown_field person.surname'],
  ],
])('%s', (_, rows, expected) => {
  expect(targetsAtFault(rows)).toEqual(expected);
});

const wrongType: MappingRow = {
  id: 'person.birthday',
  source: { object: 'referral', field: 'email', type: 'email' },
  target: { object: 'person', field: 'birthday' },
};

test.each([
  ['both ends fit', name, ['person', 'lead'], 'GREEN'],
  ['the types do not fit', wrongType, ['person', 'lead'], 'RED'],
  ['its object was never read', titleFrom('source'), ['person'], 'GRAY'],
])('a row whose %s', (_, row, known, status) => {
  const problems = findProblems(working([name, email, wrongType, titleFrom('source')]), catalogue);
  expect(statusOf(row, { problems, known: new Set(known) }).status).toBe(status);
});

test('a published mapping carries only the fields its rows name', () => {
  expect(sourceOf(working([name]), catalogue).catalogue.map(({ code }) => code)).toEqual(['name']);
});
