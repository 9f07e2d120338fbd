import type { FieldDefinition, MappingRow } from '@manifold/contracts';
import { compile } from '@manifold/mapping';
import { expect, test } from 'vitest';
import { sourceOf, usualPolicy } from '../mappings/rules.ts';
import { applyRepairs, proposeRepair } from './repair/rules.ts';
import { findDrift, quarantinedExcerpt } from './rules.ts';

const purpose = 'CONTACTS_FROM_PIPEDRIVE' as const;
const policy = usualPolicy(purpose);

const field = (code: string, more: Partial<FieldDefinition> = {}): FieldDefinition => ({
  ...{ object: 'person', code, name: code, type: 'varchar', custom: true, ...more },
});
const row = (code: string, more: Partial<MappingRow> = {}): MappingRow => ({
  id: `contact.${code}`,
  source: { object: 'person', field: code },
  target: { object: 'contact', field: code, type: 'text' },
  ...more,
});
const hot = { id: 1, label: 'Hot' };
const cold = { id: 2, label: 'Cold' };
const budgetRow = row('budget', {
  source: { object: 'person', field: 'budget', part: 'amount' },
  target: { object: 'contact', field: 'budget', type: 'number' },
});

const drifted = (rows: MappingRow[], fields: FieldDefinition[], catalogue: FieldDefinition[]) => {
  const { problems } = compile(sourceOf({ purpose, rows, policy }, catalogue));
  const unusable = new Set(problems.flatMap(({ rowId }) => rowId ?? []));
  const held = { rows, fields, unusable };
  return findDrift({ published: held, working: held }, { catalogue, known: new Set(['person']) });
};

test.each([
  ['nothing', field('a'), field('a'), []],
  ['a new name', field('a'), field('a', { name: 'A' }), ['RENAMED a → A, works']],
  [
    'a type that still fits',
    field('a'),
    field('a', { type: 'date' }),
    ['RETYPED varchar → date, works'],
  ],
  [
    'a type that does not',
    field('a'),
    field('a', { type: 'json' }),
    ['RETYPED varchar → json, out'],
  ],
  ['no field', field('a'), undefined, ['REMOVED a → null, out']],
  [
    'fewer options',
    field('a', { type: 'enum', options: [hot, cold] }),
    field('a', { type: 'enum', options: [cold] }),
    ['OPTIONS_LOST Hot → null, works'],
  ],
  [
    'an option called otherwise',
    field('a', { type: 'enum', options: [hot] }),
    field('a', { type: 'enum', options: [{ id: 1, label: 'Warm' }] }),
    ['OPTIONS_LOST Hot → Warm, works'],
  ],
])('a field that has become %s', (_, then, now, expected) => {
  const rows = [row('a'), row('b')];
  const drift = drifted(rows, [then, field('b')], now ? [now, field('b')] : [field('b')]);

  expect(
    drift.map(
      (one) => `${one.change} ${one.before} → ${one.after}, ${one.quarantined ? 'out' : 'works'}`,
    ),
  ).toEqual(expected);
  expect(drift.every(({ row_id }) => row_id === 'contact.a')).toBe(true);
});

test('an object whose fields were never read has not drifted', () => {
  const held = { rows: [row('a')], fields: [field('a')], unusable: new Set<string>() };
  const current = { catalogue: [], known: new Set<string>() };
  expect(findDrift({ published: undefined, working: held }, current)).toEqual([]);
});

test('compiling a published version leaves out the quarantined row alone', () => {
  const rows = [row('a'), row('b')];
  const catalogue = quarantinedExcerpt(
    { rows, catalogue: [field('a'), field('b')] },
    new Set(['contact.a']),
    [field('b')],
  );
  const { problems, map } = compile({ ...sourceOf({ purpose, rows, policy }, catalogue) });

  expect(problems.map(({ rowId }) => rowId)).toEqual(['contact.a']);
  expect(map({ object: 'person', fields: { a: 'x', b: 'y' } }).values).toEqual({
    contact: { b: 'y' },
  });
});

const repairOf = (rows: MappingRow[], fields: FieldDefinition[], catalogue: FieldDefinition[]) => {
  const light = { working: { purpose, rows, policy, fields }, catalogue };
  const drift = drifted(rows, fields, catalogue);
  const [first] = rows;
  const repair = proposeRepair(first?.id ?? '', drift, light);
  return { repair, light };
};

test.each([
  [
    'keeps its row',
    row('a'),
    { was: field('a'), is: field('a', { name: 'A' }) },
    { action: 'KEEP', row: row('a') },
  ],
  [
    'was made again: the row takes the new one',
    row('a'),
    { was: field('a', { name: 'Tier' }), is: field('z', { name: 'Tier' }) },
    { action: 'CHANGE', row: row('a', { source: { object: 'person', field: 'z' } }) },
  ],
  [
    'has no parts any longer: the row takes the whole',
    budgetRow,
    { was: field('budget', { type: 'monetary' }), is: field('budget', { type: 'double' }) },
    { action: 'CHANGE', row: { ...budgetRow, source: { object: 'person', field: 'budget' } } },
  ],
  [
    'is gone: the row goes',
    row('a'),
    { was: field('a'), is: undefined },
    { action: 'REMOVE', row: null },
  ],
])('a field that %s', (_, one, { was, is }, { action, row: repaired }) => {
  const { repair } = repairOf([one], [was], is ? [is] : []);
  expect(repair).toMatchObject({ action, row: repaired });
});

test('a namesake another row reads is not taken from it', () => {
  const tier = field('z', { name: 'Tier' });
  const rows = [row('a'), row('z')];
  expect(repairOf(rows, [field('a', { name: 'Tier' }), tier], [tier]).repair.action).toBe('REMOVE');
});

test('a fixed option follows its new name', () => {
  const label = field('label', { object: 'lead', type: 'enum', options: [hot] });
  const warm = { ...label, options: [{ id: 1, label: 'Warm' }] };
  const fixed: MappingRow = {
    id: 'lead.label',
    source: { object: 'constant', value: 'Hot', type: 'option' },
    target: { object: 'lead', field: 'label' },
  };
  const working = {
    purpose: 'REFERRALS_TO_PIPEDRIVE' as const,
    ...{ rows: [fixed], policy, fields: [label] },
  };
  const held = { rows: [fixed], fields: [label], unusable: new Set([fixed.id]) };
  const drift = findDrift(
    { published: undefined, working: held },
    { catalogue: [warm], known: new Set(['lead']) },
  );
  const repair = proposeRepair(fixed.id, drift, {
    working,
    catalogue: [warm],
  });

  expect(drift).toMatchObject([{ change: 'OPTIONS_LOST', quarantined: true }]);
  expect(repair).toMatchObject({ action: 'CHANGE', row: { source: { value: 'Warm' } } });
});

test('a repaired working copy has not drifted any longer', () => {
  const catalogue = [field('a', { name: 'A' }), field('b')];
  const rows = [row('a'), row('b')];
  const { repair, light } = repairOf(rows, [field('a'), field('b')], catalogue);
  const after = applyRepairs(light, new Map([['contact.a', repair]]));

  expect(after.rows).toEqual(rows);
  expect(drifted(after.rows, after.fields, catalogue)).toEqual([]);
});
