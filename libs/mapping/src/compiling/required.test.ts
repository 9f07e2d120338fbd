import type { MappingRow } from '@manifold/contracts';
import { describe, expect, it } from 'vitest';
import {
  checkRequiredTargets,
  excerptCatalogue,
  existingRuleOf,
  fieldsToWrite,
  referralRequiredTargets,
  sourceFieldsOf,
} from '../index.ts';

const row = (id: string, field: string, target: MappingRow['target']): MappingRow => ({
  id,
  source: { object: 'referral', field, type: 'text' },
  target,
});
const name = row('n', 'first_name', { object: 'person', field: 'name' });
const email = row('e', 'email', { object: 'person', field: 'emails' });
const title = row('t', 'company', { object: 'lead', field: 'title' });
const missing = (rows: MappingRow[], outcome: 'lead' | 'deal' = 'lead') =>
  checkRequiredTargets(rows, referralRequiredTargets(outcome)).map(({ target }) => target);

describe('mandatory mappings of a referral campaign', () => {
  it('first name, e-mail and any field as title are enough (RF-12, RF-13, RF-14, RF-15, RF-17)', () => {
    expect(missing([name, email, title])).toEqual([]);
  });

  it('each missing target is one problem that says what to do (RF-18)', () => {
    const problems = checkRequiredTargets([], referralRequiredTargets('lead'));
    expect(problems.map(({ target }) => target)).toEqual([
      'person.name',
      'person.emails',
      'lead.title',
    ]);
    expect(problems[0]).toEqual({
      rowId: null,
      code: 'required_target_missing',
      target: 'person.name',
      cause: 'Nothing is mapped to Person name.',
      fix: 'Add a row from first_name to Person name.',
    });
  });

  it('another field than the first name does not do for the name (RF-12)', () => {
    expect(
      missing([
        { ...name, source: { object: 'referral', field: 'company', type: 'text' } },
        email,
        title,
      ]),
    ).toEqual(['person.name']);
  });

  it('a deal needs the title of the deal, not of the lead (RF-14)', () => {
    expect(missing([name, email, title], 'deal')).toEqual(['deal.title']);
  });

  it('a value for creation only does not fill a mandatory target (RF-20)', () => {
    expect(missing([name, email, { ...title, createOnly: true }])).toEqual(['lead.title']);
  });
});

describe('what travels with a mapping', () => {
  it('is the part of the catalogue its rows name, on either side', () => {
    const field = (object: 'person' | 'lead', code: string) => ({
      object,
      code,
      name: code,
      type: 'varchar' as const,
      custom: false,
    });
    const catalogue = [
      field('person', 'name'),
      field('person', 'notes'),
      field('lead', 'name'),
      field('lead', 'title'),
    ];
    expect(excerptCatalogue([name, title], catalogue)).toEqual([catalogue[0], catalogue[3]]);
  });

  it('names each source field once', () => {
    const fromPerson = (id: string, part: 'start' | 'end'): MappingRow => ({
      id,
      source: { object: 'person', field: 'contract', part },
      target: { object: 'contact', field: part, type: 'date' },
    });
    expect(
      sourceFieldsOf([fromPerson('a', 'start'), fromPerson('b', 'end'), name], 'person'),
    ).toEqual(['contract']);
  });
});

describe('a policy on the way to Pipedrive', () => {
  const policy = {
    existing: 'overwrite',
    ignoreEmpty: true,
    createMissing: true,
    protectFilled: false,
    protected: ['person.name'],
  } as const;

  it('leaves out protected fields and, when asked to, empty ones', () => {
    const fields = { name: 'Ada', job_title: null, last_name: 'L' };
    const options = { object: 'person', fields } as const;
    expect(
      fieldsToWrite({ ...options, policy: { ...policy, protected: ['person.name'] } }),
    ).toEqual({ last_name: 'L' });
    expect(
      fieldsToWrite({ ...options, policy: { ...policy, protected: [], ignoreEmpty: false } }),
    ).toEqual(fields);
  });

  it.each([
    ['overwrite', false, 'update'],
    ['overwrite', true, 'fill_blanks'],
    ['append', false, 'fill_blanks'],
    ['ignore', true, 'leave'],
  ] as const)('%s with filled ones protected %s asks to %s', (existing, protectFilled, rule) => {
    expect(existingRuleOf({ ...policy, protected: [], existing, protectFilled })).toBe(rule);
  });
});
