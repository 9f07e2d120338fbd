import { newId } from '@manifold/database';
import { UserId } from '@manifold/contracts';
import type { PipedriveClient } from '@manifold/pipedrive';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { keepCatalogue } from '../keeping.ts';
import {
  allowExternalId,
  disallowExternalId,
  externalIdField,
  forgetExternalIdField,
} from './commands.ts';
import { EXTERNAL_ID_NAME } from './rules.ts';
import { listExternalIdFields } from './store.ts';

const database = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
let world: World;
let client: PipedriveClient;

beforeEach(async () => {
  await bystander.reset();
  const { db } = database;
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  const { workspaceId, connection, deps } = world;
  const use = { lane: 'event', feature: 'writes' } as const;
  client = await deps.clientFor(workspaceId, connection.id, use);
  for (const { code } of await own()) await client.deleteField('person', code);
});
afterAll(async () => {
  await pipedrive.stop();
  await database.drop();
});

const questionOf = ({ workspaceId, connection }: World) => ({
  workspaceId,
  connectionId: connection.id,
  companyId: connection.company_id,
  object: 'person' as const,
});
const ask = (through: PipedriveClient = client) =>
  externalIdField(world.deps, questionOf(world), through);
const allow = () =>
  allowExternalId(world.deps, world.connection, {
    objects: ['person'],
    by: newId('us', UserId),
  });
const own = async () => {
  const listed = await client.listFields('person');
  if (listed.outcome !== 'ok') throw new Error(listed.outcome);
  return listed.data.filter(({ name }) => name === EXTERNAL_ID_NAME);
};
const kept = () => world.scoped((tx) => listExternalIdFields(tx, [world.connection.company_id]));

test('no field is made without consent, nor by the consent itself', async () => {
  expect(await ask()).toBeUndefined();
  await allow();
  expect(await own()).toEqual([]);
});

test('the first create makes the field, and everybody after it uses the same', async () => {
  await allow();
  const made = await ask();
  expect(await own()).toMatchObject([{ code: made?.code, type: 'varchar', custom: true }]);
  const before = (await bystander.ledger()).tokens;
  expect(await ask()).toEqual(made);
  expect((await bystander.ledger()).tokens).toBe(before);
});

test('many at once make one field; those that come too early are told to try again', async () => {
  await allow();
  const answers = await Promise.allSettled(Array.from({ length: 6 }, () => ask()));
  for (const answer of answers) {
    if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ kind: 'unavailable' });
    else expect(answer.value).toMatchObject({ code: expect.any(String) });
  }
  expect(await ask()).toMatchObject({ code: expect.any(String) });
  expect(await own()).toHaveLength(1);
});

test('a field made before, by another workspace or a try of unknown end, is found again', async () => {
  const there = await client.createField('person', { name: EXTERNAL_ID_NAME, type: 'varchar' });
  await allow();
  expect(await ask()).toEqual({ code: there.outcome === 'ok' && there.data.code });
  expect(await own()).toHaveLength(1);
});

test('while the end of the making is unknown, nobody makes another one', async () => {
  await allow();
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v2/personFields' });
  await expect(ask()).rejects.toMatchObject({ kind: 'unavailable' });
  await expect(ask()).rejects.toMatchObject({ kind: 'unavailable' });
  expect(await own()).toHaveLength(1);
  const later = new Date(Date.now() + 61_000);
  const deps = { ...world.deps, now: () => later };
  expect(await externalIdField(deps, questionOf(world), client)).toMatchObject({
    code: expect.any(String),
  });
  expect(await own()).toHaveLength(1);
});

test('a Pipedrive out of reach delays it, and leaves no trace', async () => {
  await allow();
  await bystander.fault('500', { path: '/api/v2/personFields' });
  await expect(ask()).rejects.toMatchObject({ detail: { reason: 'pipedrive_unreachable' } });
  expect(await ask()).toMatchObject({ code: expect.any(String) });
});

test('a company whose plan is full is written without it, and not asked every time', async () => {
  await allow();
  let asked = 0;
  const full: PipedriveClient = {
    ...client,
    createField: async () => {
      asked += 1;
      return {
        outcome: 'refused',
        status: 403,
        code: 'feature_capping_custom_fields_limit',
        message: 'Limit reached',
      };
    },
  };
  expect([await ask(full), await ask(full)]).toEqual([undefined, undefined]);
  expect(asked).toBe(1);
  expect(await kept()).toMatchObject([{ refused_reason: 'field_limit_reached' }]);
  await allow();
  expect(await ask()).toMatchObject({ code: expect.any(String) });
});

test('a field an administrator deleted is noticed by the next reading, and made anew', async () => {
  await allow();
  const first = await ask();
  await client.deleteField('person', first?.code ?? '');
  const listed = await client.listFields('person');
  if (listed.outcome !== 'ok') throw new Error(listed.outcome);
  const reading = { object: 'person', fields: listed.data, askedAt: new Date() } as const;
  await keepCatalogue(world.deps, world.connection, reading);
  expect(await kept()).toMatchObject([{ field_code: null }]);
  const second = await ask();
  expect(second?.code).not.toBe(first?.code);
});

test('a write that Pipedrive refuses for the field forgets it, and only that one', async () => {
  await allow();
  const made = await ask();
  await forgetExternalIdField(world.deps, { ...questionOf(world), code: 'a'.repeat(40) });
  expect(await kept()).toMatchObject([{ field_code: made?.code }]);
  await forgetExternalIdField(world.deps, { ...questionOf(world), code: made?.code ?? '' });
  expect(await kept()).toMatchObject([{ field_code: null }]);
});

test('consent taken back ends it, and it is a consent of one workspace', async () => {
  await allow();
  await ask();
  const { db } = database;
  const other = await createWorld({ db, pipedrive, log: silentLog, eventually });
  expect(await externalIdField(other.deps, questionOf(other), client)).toBeUndefined();
  await disallowExternalId(db, world.connection, ['person']);
  expect(await ask()).toBeUndefined();
  expect(await own()).toHaveLength(1);
});
