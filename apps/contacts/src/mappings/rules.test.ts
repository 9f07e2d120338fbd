import { expect, test } from 'vitest';
import { personOf, sourceOf } from '../../test/records.ts';
import { hotColumns, prepareMapping } from './rules.ts';

const list = { key: 'mails', label: 'Mails', type: 'email_list' } as const;
const single = { key: 'work_mail', label: 'Work', type: 'email' } as const;
const channel = (value: string, primary = false) => ({ value, label: 'work', primary });

test.each([
  ['the variable of that name', { email: 'A@B.c', work_mail: 'x@y.z' }, 'a@b.c'],
  ['a variable of the type', { work_mail: ' X@Y.z ' }, 'x@y.z'],
  ['the primary of a list', { mails: [channel('1@b.c'), channel('2@b.c', true)] }, '2@b.c'],
  [
    'the first of a list without a primary',
    { mails: [channel('1@b.c'), channel('2@b.c')] },
    '1@b.c',
  ],
  ['nothing', {}, ''],
])('the e-mail address of a contact is %s', (_, values, email) => {
  expect(hotColumns(values, [single, list]).email).toBe(email);
});

test.each([
  ['name', { name: 'Ünal', first_name: 'X' }, 'Ünal'],
  ['first and last name', { name: ' ', first_name: 'Ada', last_name: 'Byron' }, 'Ada Byron'],
  ['first name alone', { first_name: 'Ada' }, 'Ada'],
  ['nothing', {}, ''],
])('the name of a contact is its %s', (_, values, name) => {
  expect(hotColumns(values, [])).toMatchObject({ name, name_sort: name.toLowerCase() });
});

test('a mapping asks for the fields it names and for the organization of a person', () => {
  const { fields } = prepareMapping(1, sourceOf());
  expect(fields.organization).toEqual(['name', 'website']);
  expect(fields.person).toEqual(expect.arrayContaining(['name', 'emails', 'org_id']));
});

test('variables are called like the fields they come from', () => {
  const { variables } = prepareMapping(1, sourceOf());
  expect(variables.person.find(({ key }) => key === 'industry')).toEqual({
    ...{ key: 'industry', label: 'Industry', type: 'option' },
  });
});

test('a person becomes contact variables, option ids their labels', () => {
  const mapping = prepareMapping(1, sourceOf());
  expect(mapping.map(personOf(3)).values.contact).toMatchObject({
    industry: 'Farming',
    budget: { amount: 30, currency: 'EUR' },
  });
});
