import type { FieldDefinition, PipedriveRecord } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { sql } from 'kysely';
import * as testing from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { budget, budgetCode, standard } from '../../test/fields.ts';
import { startFieldMapping } from '../../test/service.ts';

const service = await startFieldMapping(testing);
const { graph, connectionId, pipedrive } = service;
afterAll(service.stop);

const notes: FieldDefinition = {
  ...{ object: 'person', code: 'n'.repeat(40), name: 'Age', type: 'varchar', custom: true },
};
const person = (id: string, fields: PipedriveRecord['fields']): PipedriveRecord => ({
  ...{ object: 'person', id, fields, updateTime: null, addTime: null, deleted: false },
});
const eva = person('1', {
  name: 'Eva Secret',
  emails: [{ value: 'eva@x.test', label: 'work', primary: true }],
  [budgetCode]: { value: 500, currency: 'EUR' },
  [notes.code]: 'old',
});
beforeEach(() => {
  pipedrive.fields = [...standard, budget, notes];
  pipedrive.records = [eva];
  pipedrive.asked.length = 0;
  pipedrive.budgetSpent = false;
});

const PREVIEW = `query ($input: PreviewMappingInput!) { previewMapping(input: $input) {
  object recordId costTokens outcome missing
  rows { recordId sample { text number options } mapped { text number } losses { reason withheld } row { id status } }
  fields { field label before { text } after { text } changed kept } } }`;

const toContact = (field: string, target: string, more: object = {}) => ({
  source: { object: 'PERSON', field, ...more },
  target: { object: 'CONTACT', field: target, type: 'TEXT' },
});
const rows = [
  toContact('name', 'name'),
  toContact(budgetCode, 'currency', { part: 'CURRENCY' }),
  { ...toContact(notes.code, 'age'), target: { object: 'CONTACT', field: 'age', type: 'NUMBER' } },
];
const unsaved = { connectionId, purpose: 'CONTACTS_FROM_PIPEDRIVE', object: 'PERSON', rows };

async function preview(input: object, caller = {}) {
  const { data, errors } = await graph(PREVIEW, { input }, caller);
  expect(errors).toBeUndefined();
  return data.previewMapping;
}

test('each row shows a real value, what becomes of it, what is lost, and what it has cost (WX-26)', async () => {
  const shown = await preview(unsaved);

  expect(shown).toMatchObject({ recordId: '1', costTokens: 10, outcome: 'CREATED', missing: [] });
  expect(shown.rows).toMatchObject([
    { sample: { text: 'Eva Secret' }, mapped: { text: 'Eva Secret' }, losses: [] },
    { sample: { text: 'EUR' }, mapped: { text: 'EUR' }, losses: [] },
    {
      ...{ sample: { text: 'old' }, mapped: null },
      losses: [{ reason: 'not_a_number', withheld: true }],
    },
  ]);
  expect(pipedrive.asked).toMatchObject([
    { fields: ['name', budgetCode, notes.code], lane: 'interactive' },
  ]);
});

test('the whole contact is shown before and after, under the policy (OR-25) (OR-28) (WX-35)', async () => {
  const policy = { existing: 'APPEND', ignoreEmpty: true, protected: ['contact.currency'] };
  const existing = [
    { field: 'name', value: { text: 'Anna' } },
    { field: 'city', value: { text: 'Riga' } },
  ];
  const { outcome, fields } = await preview({ ...unsaved, policy, existing });

  expect(outcome).toBe('UNCHANGED');
  expect(fields).toEqual([
    {
      ...{ field: 'name', label: 'Name', changed: false, kept: 'field_filled' },
      ...{ before: { text: 'Anna' }, after: { text: 'Anna' } },
    },
    {
      ...{ field: 'city', label: 'City', changed: false, kept: null },
      ...{ before: { text: 'Riga' }, after: { text: 'Riga' } },
    },
    {
      ...{ field: 'currency', label: 'Currency', changed: false, kept: 'field_protected' },
      ...{ before: null, after: null },
    },
  ]);
});

test('a row that grants a permission can be saved and tried (OR-14) (WX-12)', async () => {
  const granting = {
    source: { object: 'PERSON', field: 'emails' },
    target: { object: 'PERMISSION', field: 'email' },
  };
  const { id, rows: saved } = await service.save({ rows: [...rows, granting] });
  const shown = await preview({ mappingId: id, object: 'PERSON' });

  expect(saved.at(-1)).toMatchObject({
    ...{ id: 'permission.email', status: 'GREEN' },
    target: { object: 'PERMISSION', field: 'email', type: null },
  });
  expect(shown.rows.at(-1)).toMatchObject({
    ...{ sample: { options: ['eva@x.test'] }, mapped: { text: 'subscribed' }, losses: [] },
  });
});

test('a value the shown record lacks is sampled from another (WX-26)', async () => {
  const empty = person('2', { name: 'Otto', emails: [], [budgetCode]: null, [notes.code]: null });
  pipedrive.records = [eva, empty];
  const { rows: shown, recordId } = await preview({ ...unsaved, rows: rows.slice(0, 2) });

  expect(['1', '2']).toContain(recordId);
  expect(shown[0].recordId).toBe(recordId);
  expect(shown[1]).toMatchObject({ recordId: '1', sample: { text: 'EUR' } });
});

test('a named record is the one shown; one that is not there is refused', async () => {
  pipedrive.records = [eva, person('7', { name: 'Ida' })];
  const { id } = await service.save({ rows });
  const shown = await preview({ mappingId: id, object: 'PERSON', recordId: '7' });
  const { errors } = await graph(PREVIEW, { input: { ...unsaved, recordId: '8' } });

  expect(shown).toMatchObject({ recordId: '7', rows: [{ sample: { text: 'Ida' } }, {}, {}] });
  expect(errors[0].extensions.reason).toBe('record_not_found');
});

test('nothing of a record that was previewed is kept or told (SL-94)', async () => {
  await preview(unsaved);
  const kept = await acrossWorkspaces(service.db, async (tx) => {
    const { rows: tables } = await sql<{ name: string }>`
      select table_name as name from information_schema.columns
      where table_schema = current_schema() and column_name = 'workspace_id'`.execute(tx);
    expect(tables.map(({ name }) => name)).toContain('outbox');
    const texts = tables.map(({ name }) =>
      sql<{ text: string }>`select one::text as text from ${sql.table(name)} one`.execute(tx),
    );
    return (await Promise.all(texts)).flatMap((of) => of.rows.map(({ text }) => text));
  });
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.join('\n')).not.toMatch(/Secret|eva@x/);
});

test('without records every row stands there empty', async () => {
  pipedrive.records = [];
  expect(await preview(unsaved)).toMatchObject({
    ...{ recordId: null, outcome: null, fields: [], costTokens: 20 },
    rows: [{ sample: null, mapped: null }, { sample: null }, { sample: null }],
  });
});

test('a spent budget, a missing mapping and a viewer are refused, each with a reason', async () => {
  const refused = async (input: object, caller = {}) =>
    (await graph(PREVIEW, { input }, caller)).errors[0].extensions;
  const referrals = { ...unsaved, purpose: 'REFERRALS_TO_PIPEDRIVE' };

  expect(await refused(unsaved, { role: 'VIEWER' })).toMatchObject({ reason: 'role_too_low' });
  expect(await refused(referrals)).toMatchObject({ fix: expect.stringContaining('CONTACTS_') });
  expect((await refused({ object: 'PERSON' })).issues).toHaveLength(3);
  expect(await refused({ mappingId: `fm_${'0'.repeat(32)}`, object: 'PERSON' })).toMatchObject({
    reason: 'record_not_found',
  });
  pipedrive.budgetSpent = true;
  expect(await refused(unsaved)).toMatchObject({ reason: 'budget_spent' });
});
