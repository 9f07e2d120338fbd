import * as testing from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { startFieldMapping } from '../../test/service.ts';

const service = await startFieldMapping(testing);
const { graph } = service;
afterAll(service.stop);

const PARTS = 'id state version rows { id } policy { existing } versions { version }';
const REVERT = `mutation ($input: RevertFieldMappingInput!) { revertFieldMapping(input: $input) { fieldMapping { ${PARTS} } } }`;
const COMPARE = `query ($id: ID!, $from: Int, $to: Int) { fieldMapping(id: $id) { comparison(from: $from, to: $to) {
  added { id } removed { id } changed { before { required } after { required } } policy { before { existing } after { existing } } reordered } } }`;
const LIST = `query ($filter: FieldMappingFilter) { fieldMappings(filter: $filter) { nodes { name } } }`;

const row = (field: string, more: object = {}) => ({
  ...{ source: { object: 'PERSON', field }, target: { object: 'CONTACT', field } },
  ...more,
});
const append = { existing: 'APPEND', ignoreEmpty: false };

/** Version 1 has the name, version 2 the addresses too, and the draft only those. */
async function makeDraft(name = 'A') {
  const { id } = await service.save({ name, rows: [row('name')] });
  await service.publish(id);
  await service.save({ name, id, rows: [row('name', { required: true }), row('emails')] });
  await service.publish(id);
  await service.save({ name, id, rows: [row('emails')], policy: append });
  return id;
}

test('a dropped draft leaves what is published', async () => {
  const id = await makeDraft();
  const reverted = await service.run(REVERT, { id });

  expect(reverted).toMatchObject({ state: 'PUBLISHED', version: 2 });
  expect(reverted.rows).toEqual([{ id: 'contact.name' }, { id: 'contact.emails' }]);
  expect(reverted.policy).toEqual({ existing: 'OVERWRITE' });
});

test('an older version comes back as a draft, and published as a new version', async () => {
  const id = await makeDraft();
  const reverted = await service.run(REVERT, { id, version: 1 });
  expect(reverted).toMatchObject({ state: 'DRAFT', version: 2, rows: [{ id: 'contact.name' }] });

  const published = await service.publish(id);
  expect(published).toMatchObject({ state: 'PUBLISHED', version: 3 });
});

test('a version nobody published is refused, like a draft with nothing to go back to', async () => {
  const id = await makeDraft();
  const { id: unpublished } = await service.save({ rows: [row('name')] });
  const refused = async (input: object, caller = {}) =>
    (await graph(REVERT, { input }, caller)).errors[0].extensions;

  expect(await refused({ id, version: 9 })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await refused({ id: unpublished })).toMatchObject({ reason: 'mapping_not_published' });
  expect(await refused({ id }, { role: 'MEMBER' })).toMatchObject({ reason: 'role_too_low' });
});

test('two versions, or the newest and the working copy, are compared', async () => {
  const id = await makeDraft();
  const compare = async (versions: object) =>
    (await graph(COMPARE, { id, ...versions })).data.fieldMapping.comparison;

  expect(await compare({ from: 1, to: 2 })).toEqual({
    ...{ added: [{ id: 'contact.emails' }], removed: [], policy: null, reordered: false },
    changed: [{ before: { required: false }, after: { required: true } }],
  });
  expect(await compare({})).toEqual({
    ...{ added: [], removed: [{ id: 'contact.name' }], changed: [], reordered: false },
    policy: { before: { existing: 'OVERWRITE' }, after: { existing: 'APPEND' } },
  });
  const { data, errors } = await graph(COMPARE, { id, from: 9 });
  expect(data.fieldMapping.comparison).toBeNull();
  expect(errors[0].extensions.reason).toBe('record_not_found');
});

test('mappings are found by a part of their name, whatever its case', async () => {
  await makeDraft('EU 100% Kunden');
  const names = async (filter: object) =>
    (await graph(LIST, { filter })).data.fieldMappings.nodes.map(
      ({ name }: { name: string }) => name,
    );

  expect(await names({ nameContains: '100% kund' })).toEqual(['EU 100% Kunden']);
  expect(await names({ nameContains: '100_' })).toEqual([]);
  expect(await names({ nameContains: 'kunden', drifted: false })).toEqual(['EU 100% Kunden']);
  expect(await names({ drifted: true })).toEqual([]);
});
