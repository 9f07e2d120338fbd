import type { FieldDefinition } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { closeTo, requireKnownFields } from './rules.ts';

const field = (code: string, name = code): FieldDefinition => ({
  ...{ object: 'person', code, name, type: 'varchar', custom: false },
  ...{ subfields: [], readOnly: false },
});
const fields = [
  field('name', 'Name'),
  field('emails', 'Email'),
  field('a'.repeat(40), 'Shoe size'),
];
const named = (...codes: string[]) =>
  codes.map((code, index) => ({ code, path: `fields.${index}` }));

test.each([
  ['a letter that is missing', 'emals', ['emails']],
  ['the name people see', 'Shoe Size', ['a'.repeat(40)]],
  ['another case', 'NAME', ['name']],
  ['nothing like it', 'turnover', []],
])('the field that was meant is found by %s', (_, text, codes) => {
  expect(closeTo(text, fields).map(({ code }) => code)).toEqual(codes);
});

test('a code no field has is refused where it stands, with what was meant', () => {
  expect(() => requireKnownFields(fields, 'person', named('name', 'emial', 'turnover'))).toThrow(
    expect.objectContaining({
      message: 'There is no field emial, turnover of person in Pipedrive',
      detail: {
        reason: 'unknown_field',
        field: 'fields.1',
        fix: expect.stringContaining('Use emails (Email)'),
      },
    }),
  );
});

test('of many unknown codes the first ten are listed', () => {
  const many = named(...Array.from({ length: 14 }, (_, index) => `unknown${index}`));
  expect(() => requireKnownFields(fields, 'person', many)).toThrow(/unknown9 and 4 more/);
});

test.each([
  ['every code is known', fields],
  ['no catalogue was read yet', []],
])('nothing is refused when %s', (title, definitions) => {
  const codes = title.startsWith('every') ? ['name', 'emails'] : ['whatever'];
  expect(() => requireKnownFields(definitions, 'person', named(...codes))).not.toThrow();
});
