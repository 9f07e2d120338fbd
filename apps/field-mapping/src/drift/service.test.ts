import { type FieldMappingId, GetMapping } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { compile } from '@manifold/mapping';
import { ask } from '@manifold/messaging';
import * as testing from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { budget, budgetCode, standard } from '../../test/fields.ts';
import { startFieldMapping } from '../../test/service.ts';

const service = await startFieldMapping(testing);
const { graph, workspaceId } = service;
afterAll(service.stop);
beforeEach(async () => {
  service.pipedrive.fields = [...standard, budget];
  service.pipedrive.revision += 1;
});

const DRIFT = `state version rows { id status } drift {
  rowId label change before after quarantined published since repair { action explanation row { id source { field part } target { field type } } } }`;
const READ = `query ($id: ID!) { fieldMapping(id: $id) { ${DRIFT} } }`;
const REPAIR = `mutation ($input: RepairMappingInput!) { repairMapping(input: $input) { fieldMapping { id ${DRIFT} } } }`;
const LIST = `query ($filter: FieldMappingFilter) { fieldMappings(filter: $filter) { nodes { id } } }`;

const read = async (id: string) => (await graph(READ, { id })).data.fieldMapping;
const getMapping = (mappingId: FieldMappingId) =>
  ask(service.nats, GetMapping, { workspaceId, mappingId });
const driftEvents = () => service.told('field-mapping.mapping_drifted.v1');

async function makePublished() {
  const { id } = await service.save({ name: 'Drifting' });
  await service.publish(id);
  return id;
}

test('a removed field quarantines its row alone, is told of once, and is proposed away (WX-08)', async () => {
  const id = await makePublished();
  await service.changeFields(standard);

  await testing.eventually(async () => {
    expect((await read(id)).drift).toMatchObject([
      {
        ...{ rowId: 'contact.budget', label: 'Budget', change: 'REMOVED', before: 'Budget' },
        ...{ after: null, quarantined: true, published: true, repair: { action: 'REMOVE' } },
      },
    ]);
  });
  const { source, version } = await getMapping(id);
  const { problems } = compile(source);
  expect(version).toBe(1);
  expect(source.rows.map((row) => row.id)).toContain('contact.budget');
  expect(problems.map(({ rowId }) => rowId)).toEqual(['contact.budget']);

  await service.changeFields(standard);
  const listed = await graph(LIST, { filter: { drifted: true } });
  expect(listed.data.fieldMappings.nodes).toEqual([{ id }]);
  const events = (await driftEvents()).filter((body) => JSON.stringify(body).includes(id));
  expect(events).toMatchObject([
    { payload: { version: 1, drift: [{ rowId: 'contact.budget', quarantined: true }] } },
  ]);
});

test('repairing and publishing ends the drift, and others get the whole mapping again', async () => {
  const id = await makePublished();
  const namesake = { ...budget, code: 'e'.repeat(40) };
  await service.changeFields([...standard, namesake]);
  await testing.eventually(async () =>
    expect((await read(id)).drift).toMatchObject([{ repair: { action: 'CHANGE' } }]),
  );

  const repaired = await service.run(REPAIR, { id });
  expect(repaired).toMatchObject({
    state: 'DRAFT',
    drift: [{ rowId: 'contact.budget', published: true, repair: { action: 'PUBLISH', row: null } }],
  });
  await service.publish(id);

  expect(await read(id)).toMatchObject({ state: 'PUBLISHED', version: 2, drift: [] });
  const { source } = await getMapping(id);
  expect(compile(source).problems).toEqual([]);
  expect(source.rows.at(-1)?.source).toMatchObject({ field: namesake.code });
  expect((await driftEvents()).at(-1)).toMatchObject({ payload: { mappingId: id, drift: [] } });
});

test('a renamed field is told of and quarantines nothing; only named rows are repaired', async () => {
  const id = await makePublished();
  const renamed = standard.map((field) =>
    field.code === 'name' ? { ...field, name: 'Full name' } : field,
  );
  await service.changeFields([...renamed, { ...budget, name: 'Spend' }]);
  await testing.eventually(async () => expect((await read(id)).drift).toHaveLength(2));

  const { drift } = await service.run(REPAIR, { id, rowIds: ['contact.name'] });

  const byRow = (rowId: string) => drift.find((one: { rowId: string }) => one.rowId === rowId);
  expect(byRow('contact.name')).toMatchObject({
    quarantined: false,
    repair: { action: 'PUBLISH' },
  });
  expect(byRow('contact.budget')).toMatchObject({
    ...{ change: 'RENAMED', before: 'Budget', after: 'Spend', label: 'Spend' },
    ...{ quarantined: false, repair: { action: 'KEEP' } },
  });
  expect(compile((await getMapping(id)).source).problems).toEqual([]);
});

test('a retyped field turns its row red until the row follows it', async () => {
  const rows = [
    {
      source: { object: 'PERSON', field: budgetCode, part: 'CURRENCY' },
      target: { object: 'CONTACT', field: 'currency', type: 'TEXT' },
    },
    {
      source: { object: 'PERSON', field: 'name' },
      target: { object: 'CONTACT', field: 'name', type: 'TEXT' },
    },
  ];
  const { id } = await service.save({ name: 'Retyped', rows });
  await service.changeFields([...standard, { ...budget, type: 'double' }]);
  await testing.eventually(async () =>
    expect(await read(id)).toMatchObject({
      rows: [{ status: 'RED' }, { status: 'GREEN' }],
      drift: [{ change: 'RETYPED', before: 'monetary', after: 'double', published: false }],
    }),
  );

  const repaired = await service.run(REPAIR, { id });
  expect(repaired).toMatchObject({ drift: [], rows: [{ status: 'GREEN' }, { status: 'GREEN' }] });
});

test('a mapping saved by a release that kept no fields rests on what it published', async () => {
  const id = await makePublished();
  await withWorkspace(service.db, workspaceId, (tx) =>
    sql`update field_mapping set fields = '[]' where id = ${id}`.execute(tx),
  );
  await service.changeFields([...standard, { ...budget, name: 'Spend' }]);

  await testing.eventually(async () =>
    expect((await read(id)).drift).toMatchObject([
      { change: 'RENAMED', repair: { action: 'KEEP' } },
    ]),
  );
  expect(await service.run(REPAIR, { id })).toMatchObject({
    drift: [{ repair: { action: 'PUBLISH' } }],
  });
});

test('repairing what has not drifted changes nothing, and a member may not repair', async () => {
  const id = await makePublished();
  expect(await service.run(REPAIR, { id })).toMatchObject({ state: 'PUBLISHED', drift: [] });
  const { errors } = await graph(REPAIR, { input: { id } }, { role: 'MEMBER' });
  expect(errors[0].extensions.reason).toBe('role_too_low');
});
