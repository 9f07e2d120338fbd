import type { FieldDefinition } from '@manifold/contracts';
import { expect, test } from 'vitest';
import {
  compareCatalogues,
  isDifferent,
  listDue,
  namesUnknownField,
  readAgainAt,
  selectFields,
} from './rules.ts';

const now = new Date('2026-03-01T10:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const custom = 'a'.repeat(40);

const field = (code: string, more: Partial<FieldDefinition> = {}): FieldDefinition => ({
  object: 'person',
  code,
  name: code,
  type: 'varchar',
  custom: false,
  ...more,
});

const option = (id: number, label: string) => ({ id, label });

test.each([
  ['nothing', [field('a')], [field('a')], []],
  ['a field', [], [field('a')], [['added', null, 'a']]],
  ['a name', [field('a')], [field('a', { name: 'A' })], [['renamed', 'a', 'A']]],
  ['a type', [field('a')], [field('a', { type: 'text' })], [['retyped', 'varchar', 'text']]],
  [
    'choices',
    [field('a', { options: [option(1, 'One'), option(2, 'Two')] })],
    [field('a', { options: [option(1, 'Uno'), option(3, 'Three')] })],
    [
      ['option_renamed', 'One', 'Uno'],
      ['option_added', null, 'Three'],
      ['option_removed', 'Two', null],
    ],
  ],
  ['no field any more', [field('a')], [], [['removed', 'a', null]]],
])('%s is told with what was before and after', (_, before, after, expected) => {
  const { differences } = compareCatalogues(before, after);
  expect(differences.map((one) => [one.kind, one.before, one.after])).toEqual(expected);
});

test('fields that came and went are reported, those that only changed places are not', () => {
  const difference = compareCatalogues(
    [field('a'), field('b'), field('d')],
    [field('d', { name: 'D' }), field('c'), field('a')],
  );
  expect(difference).toMatchObject({ added: ['c'], changed: ['d'], removed: ['b'] });
  expect(isDifferent(difference)).toBe(true);
  expect(isDifferent(compareCatalogues([field('a')], [field('a', { readOnly: false })]))).toBe(
    false,
  );
});

test('a catalogue is read when there is none, daily, and soon after an unknown field was seen', () => {
  const ages = [
    { object: 'person' as const, read_at: ago(24 * 3_600_000), is_stale: false },
    { object: 'organization' as const, read_at: ago(61_000), is_stale: true },
    { object: 'deal' as const, read_at: ago(30_000), is_stale: true },
  ];
  expect(listDue(ages, now)).toEqual([
    ...['person', 'organization', 'lead', 'activity', 'product', 'note'],
  ]);
  expect(readAgainAt(ago(30_000), now)).toEqual(ago(-30_000));
  expect(readAgainAt(ago(90_000), now)).toEqual(now);
});

test('only an unknown custom field makes a catalogue stale', () => {
  const catalogue = [field('name'), field(custom, { custom: true })];
  expect(namesUnknownField(['name', 'something_new', custom], catalogue)).toBe(false);
  expect(namesUnknownField(['b'.repeat(40)], catalogue)).toBe(true);
});

test.each([
  [{}, ['name', 'emails', custom]],
  [{ custom: true }, [custom]],
  [{ type: ['emails'] }, ['emails']],
  [{ search: 'MAIL' }, ['emails']],
  [{ custom: false, search: 'budget' }, []],
])('fields selected by %o', (filter, expected) => {
  const fields = [
    field('name'),
    field('emails', { type: 'emails' }),
    field(custom, { custom: true, name: 'Budget' }),
  ];
  expect(selectFields(fields, filter).map(({ code }) => code)).toEqual(expected);
});
