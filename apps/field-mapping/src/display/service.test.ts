import { UserId, WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import * as testing from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { budget, standard } from '../../test/fields.ts';
import { startFieldMapping } from '../../test/service.ts';

const service = await startFieldMapping(testing);
const { graph, connectionId } = service;
let mappingId = '';
beforeAll(async () => {
  service.pipedrive.fields = [...standard, budget];
  mappingId = (await service.save({})).id;
  await service.publish(mappingId);
  await service.save({ name: 'Never published', rows: [row('name', 'other')] });
});
afterAll(service.stop);

const CONFIG = `object chosen fields { field label type sources { label connection { id } fieldMapping { id } } } available { field }`;
const READ = `query ($object: DisplayObject!) { displayConfig(object: $object) { ${CONFIG} } }`;
const SET = `mutation ($input: SetDisplayConfigInput!) { setDisplayConfig(input: $input) { displayConfig { ${CONFIG} } } }`;

const row = (field: string, target: string) => ({
  source: { object: 'PERSON', field },
  target: { object: 'CONTACT', field: target },
});
const ana = { userId: newId('us', UserId) };
const object = 'CONTACT';
const read = async (caller: object) => (await graph(READ, { object }, caller)).data.displayConfig;
const choose = async (caller: object, fields: string[] | null) =>
  (await graph(SET, { input: { object, fields } }, caller)).data.setDisplayConfig.displayConfig;
const keys = (config: { fields: { field: string }[] }) => config.fields.map(({ field }) => field);

test('every mapped field is shown until somebody chooses, with its source (OR-54)', async () => {
  const config = await read({ userId: newId('us', UserId), role: 'VIEWER' });

  expect(config.chosen).toBe(false);
  expect(keys(config)).toEqual(['name', 'email', 'emails', 'budget']);
  expect(config.fields.at(-1)).toEqual({
    ...{ field: 'budget', label: 'Budget', type: 'MONEY' },
    sources: [
      { label: 'Budget', connection: { id: connectionId }, fieldMapping: { id: mappingId } },
    ],
  });
});

test('a person chooses fields and their order, for nobody else (OR-53) (SL-84)', async () => {
  const chosen = await choose(ana, ['budget', 'name']);

  expect(keys(chosen)).toEqual(['budget', 'name']);
  expect(keys(await read(ana))).toEqual(['budget', 'name']);
  expect(keys(await read({ userId: newId('us', UserId) }))).toHaveLength(4);
  expect((await read({ ...ana, workspaceId: newId('ws', WorkspaceId) })).available).toEqual([]);
});

test('no field can be hidden from oneself for good: without a choice all come back', async () => {
  await choose(ana, []);
  expect(keys(await read(ana))).toEqual([]);
  expect(keys(await choose(ana, null))).toHaveLength(4);
});

test('a field that is not mapped, or named twice, is refused by its place', async () => {
  const refused = async (fields: string[]) =>
    (await graph(SET, { input: { object, fields } }, ana)).errors[0].extensions;

  expect(await refused(['name', 'other'])).toMatchObject({ field: 'input.fields.1' });
  expect(await refused(['name', 'name'])).toMatchObject({ reason: 'unknown_field' });
});

test('a chosen field that is no longer mapped is left out', async () => {
  await choose(ana, ['budget', 'name']);
  await service.save({ id: mappingId, rows: [row('name', 'name')] });
  await service.publish(mappingId);
  expect(keys(await read(ana))).toEqual(['name']);
});
