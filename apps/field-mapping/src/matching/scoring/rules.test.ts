import type { FieldDefinition, FieldType, MappingRow } from '@manifold/contracts';
import { targetKeyOf } from '@manifold/mapping';
import { expect, test } from 'vitest';
import { createCandidates, knownTargets, type PastChoice } from '../candidates/rules.ts';
import { listSourceFields, matchFields, typesFor } from '../fields/rules.ts';
import { explainRows, pastChoicesOf, preferPast } from '../past/rules.ts';
import { suggestRows } from '../rules.ts';
import { suggestTargets } from './rules.ts';

const purpose = 'CONTACTS_FROM_PIPEDRIVE';

const field = (code: string, name: string, type: FieldType): FieldDefinition => ({
  ...{ object: 'person', code, name, type, custom: code.length === 40 },
});
const custom = (letter: string, name: string, type: FieldType) =>
  field(letter.repeat(40), name, type);
const row = (source: string, target: string, part?: 'primary' | 'currency'): MappingRow => ({
  id: `contact.${target}`,
  source: { object: 'person', field: source, ...(part ? { part } : {}) },
  target: { object: 'contact', field: target, type: 'text' },
});

const emails = field('emails', 'Email', 'emails');
const budget = custom('b', 'Budget', 'monetary');
const contract = custom('c', 'Contract', 'daterange');

const statuses = (catalogue: FieldDefinition[], rows: MappingRow[], problems: string[] = []) =>
  matchFields(
    { purpose, rows },
    {
      catalogue,
      problems: problems.map((rowId) => ({
        ...{ rowId, code: 'field_type_mismatch', target: 'contact.x', cause: 'No.', fix: '' },
      })),
    },
  ).map(({ source, status }) => `${source.label} ${status}`);

test('matched fields are green, all others gray, each with its parts (WX-29) (WX-32) (WX-34)', () => {
  expect(
    statuses([budget, contract], [row(budget.code, 'budget'), row(budget.code, 'cur', 'currency')]),
  ).toEqual([
    'Budget GREEN',
    'Budget/amount GRAY',
    'Budget/currency GREEN',
    'Contract GRAY',
    'Contract/start GRAY',
    'Contract/end GRAY',
  ]);
});

test('a field no value can be taken of, or whose row cannot be used, is red', () => {
  const picture = custom('p', 'Picture', 'picture');
  expect(statuses([picture, emails], [row('emails', 'x')], ['contact.x']).slice(0, 2)).toEqual([
    'Picture RED',
    'Email RED',
  ]);
});

test('a gray field may become text or another type that fits (WX-33)', () => {
  const date = listSourceFields(purpose, [custom('d', 'Since', 'date')])[0];
  expect(date && typesFor(date)).toEqual(expect.arrayContaining(['date', 'text', 'datetime']));
  expect(date && typesFor(date)[0]).toBe('date');
});

interface Given {
  past?: PastChoice[];
  rows?: MappingRow[];
  taken?: string[];
}

const suggest = (of: FieldDefinition, { past = [], rows = [], taken = [] }: Given = {}, at = 0) => {
  const source = listSourceFields(purpose, [of])[at];
  const known = knownTargets(purpose, { rows, past, catalogue: [of] });
  return source
    ? suggestTargets(source, { candidates: createCandidates(known, past), taken: new Set(taken) })
    : [];
};
const said = (suggestions: ReturnType<typeof suggest>) =>
  suggestions.map((one) => `${targetKeyOf(one.target)} ${one.reason} ${one.confidence}`);

test.each([
  ['the same name', custom('a', 'First name', 'varchar'), 'contact.first_name SAME_NAME 0.9'],
  ['the same name of another type', custom('a', 'E-mail', 'varchar'), undefined],
  ['a similar name', custom('a', 'Private phone', 'phone'), 'contact.phone SIMILAR_NAME 0.38'],
  ['nothing alike', custom('a', 'Shoe size', 'double'), 'contact.shoe_size NEW_VARIABLE 0.3'],
])('%s', (_, of, best) => {
  if (best === undefined) expect(said(suggest(of))[0]).not.toContain('SAME_NAME');
  else expect(said(suggest(of))[0]).toBe(best);
});

test('the first address of a person is what contacts are written to', () => {
  expect(said(suggest(emails, {}, 1))[0]).toBe('contact.email SAME_NAME 0.9');
});

test('a past choice counts more than a name, and the same field more than one of its name', () => {
  const past = pastChoicesOf([row(budget.code, 'spend')], [budget]);
  const text = { ...budget, type: 'varchar' as const };
  expect(said(suggest(text, { past }))[0]).toBe('contact.spend CHOSEN_BEFORE 0.95');
  const namesake = { ...text, code: 'e'.repeat(40) };
  expect(said(suggest(namesake, { past }))[0]).toBe('contact.spend CHOSEN_BEFORE 0.85');
});

test('what another row fills is never suggested (WX-31)', () => {
  const taken = ['contact.first_name'];
  expect(said(suggest(custom('a', 'First name', 'varchar'), { taken })).join()).not.toContain(
    'contact.first_name',
  );
});

test('a new mapping follows past choices and says how sure each row is', () => {
  const catalogue = [field('name', 'Name', 'varchar'), { ...budget, type: 'varchar' as const }];
  const past = pastChoicesOf([row(budget.code, 'spend')], catalogue);
  const rows = preferPast(suggestRows(purpose, catalogue), { purpose, catalogue, past });

  expect(rows.map(({ id }) => id)).toEqual(['contact.name', 'contact.spend']);
  expect(
    explainRows(rows, { purpose, catalogue, past }).map(({ reason, confidence }) => [
      ...[reason, confidence],
    ]),
  ).toEqual([
    ['SAME_NAME', 0.9],
    ['CHOSEN_BEFORE', 0.95],
  ]);
});
