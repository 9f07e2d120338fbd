import * as testing from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { budget, standard } from '../../test/fields.ts';
import { startFieldMapping } from '../../test/service.ts';

const service = await startFieldMapping(testing);
const { graph, connectionId } = service;
afterAll(service.stop);

const MATCHES = `query ($id: ID!, $status: MappingRowStatus) { fieldMapping(id: $id) { matches(status: $status) {
  source { object field label part } type status cause targetTypes rows { id }
  suggestions { target { field type } confidence reason explanation } } } }`;
const SUGGEST = `query ($connectionId: ID!) { suggestRows(connectionId: $connectionId, purpose: CONTACTS_FROM_PIPEDRIVE) {
  id suggestion { confidence reason } } }`;

const matches = async (id: string, status?: string) =>
  (await graph(MATCHES, { id, status })).data.fieldMapping.matches;
const row = (field: string, target: string, type: string, part?: string) => ({
  source: { object: 'PERSON', field, part },
  target: { object: 'CONTACT', field: target, type },
});

test('e-mail is green, a new field gray with its parts and ways out (WX-08) (WX-21) (WX-23) (WX-24) (WX-33)', async () => {
  const { id } = await service.save({ rows: [row('emails', 'email', 'EMAIL', 'PRIMARY')] });
  service.pipedrive.fields = [...standard, budget];
  service.pipedrive.revision += 1;
  await graph(SUGGEST, { connectionId });

  const green = await matches(id, 'GREEN');
  const gray = await matches(id, 'GRAY');

  expect(green).toMatchObject([
    { source: { field: 'emails', part: 'PRIMARY' }, cause: null, rows: [{ id: 'contact.email' }] },
  ]);
  const found = gray.filter(
    (one: { source: { field: string } }) => one.source.field === budget.code,
  );
  expect(found.map((one: { source: { label: string } }) => one.source.label)).toEqual([
    ...['Budget', 'Budget/amount', 'Budget/currency'],
  ]);
  expect(found[2]).toMatchObject({
    ...{ type: 'TEXT', targetTypes: expect.arrayContaining(['TEXT', 'DATETIME']) },
    suggestions: [
      {
        target: { field: 'budget_currency', type: 'TEXT' },
        reason: 'NEW_VARIABLE',
        confidence: 0.3,
      },
    ],
  });
});

test('what the workspace chose before is suggested, with how sure it is (WX-30)', async () => {
  service.pipedrive.fields = [...standard, budget];
  service.pipedrive.revision += 1;
  await service.save({ name: 'Before', rows: [row(budget.code, 'spend', 'MONEY')] });
  const { id } = await service.save({ name: 'Later', rows: [row('name', 'name', 'TEXT')] });

  const gray = await matches(id, 'GRAY');
  const [whole] = gray.filter(
    (one: { source: { field: string } }) => one.source.field === budget.code,
  );
  const { data } = await graph(SUGGEST, { connectionId });

  expect(whole.suggestions[0]).toMatchObject({
    ...{ target: { field: 'spend' }, reason: 'CHOSEN_BEFORE', confidence: 0.95 },
  });
  expect(data.suggestRows.at(-1)).toEqual({
    id: 'contact.spend',
    suggestion: { confidence: 0.95, reason: 'CHOSEN_BEFORE' },
  });
});
