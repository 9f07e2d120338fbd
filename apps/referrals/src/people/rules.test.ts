import { expect, test } from 'vitest';
import { checkForm, emailKeyOf, linkOf } from './rules.ts';

test.each([
  ['another case (RF-26)', 'Ada@Example.com', 'ada@example.com', true],
  ['another plus tag (RF-27)', 'ada+one@example.com', 'ada+two@example.com', false],
  ['a plus tag and none (RF-27)', 'ada+one@example.com', 'ada@example.com', false],
])('%s', (_, one, other, isSame) => {
  expect(emailKeyOf(one) === emailKeyOf(other)).toBe(isSame);
});

test.each([
  ['https://ref.acme.test', 'https://ref.acme.test/Ab3'],
  ['https://ref.acme.test/r', 'https://ref.acme.test/r/Ab3'],
  ['https://ref.acme.test/r/', 'https://ref.acme.test/r/Ab3'],
])('a link under %s', (base, link) => {
  expect(linkOf(base, 'Ab3')).toBe(link);
});

const form = [
  { key: 'company', label: 'Company', required: true },
  { key: 'city', label: 'City', required: false },
];

test.each([
  ['complete', [{ key: 'company', value: 'Acme' }], []],
  ['empty', [], ['input.attributes invalid_input']],
  [
    'with a blank required field',
    [{ key: 'company', value: ' ' }],
    ['input.attributes invalid_input'],
  ],
  [
    'with a field nobody asked for',
    [
      { key: 'company', value: 'Acme' },
      { key: 'size', value: '9' },
    ],
    ['input.attributes.1.key unknown_field'],
  ],
  [
    'with several faults',
    [
      { key: 'size', value: '9' },
      { key: 'city', value: 'Riga' },
      { key: 'city', value: 'Tartu' },
    ],
    [
      'input.attributes.0.key unknown_field',
      'input.attributes.2.key invalid_input',
      'input.attributes invalid_input',
    ],
  ],
])('a form %s (RF-17)', (_, attributes, expected) => {
  const issues = checkForm(form, attributes).map(({ field, code }) => `${field} ${code}`);
  expect(issues).toEqual(expected);
});
