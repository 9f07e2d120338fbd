import type { FieldDefinition, FieldValue } from '@manifold/contracts';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { setCatalogue } from '../../fields/store.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { leadStep, personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons, namesOf } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const CROWD = 'crowd@example.test';
const worker = changing.startWorker({
  wakeSender: sender.wake,
  // thousands of records that only resemble this one
  clientFor: async (...asked) => {
    const client = await world.deps.clientFor(...asked);
    return {
      ...client,
      searchPersonsByEmail: async (email) =>
        email === CROWD
          ? { outcome: 'unavailable', cause: 'too_many_hits' }
          : client.searchPersonsByEmail(email),
    };
  },
});

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

const TIER = '1'.repeat(40);
const BUDGET = '2'.repeat(40);
const fieldOf = (code: string, more: Partial<FieldDefinition>): FieldDefinition => ({
  object: 'person',
  code,
  name: code,
  type: 'varchar',
  custom: code.length === 40,
  ...more,
});

const knowFields = () =>
  world.scoped((tx) =>
    setCatalogue(tx, {
      workspaceId: world.workspaceId,
      connectionId: world.connection.id,
      object: 'person',
      revision: 1,
      fields: [
        fieldOf('name', {}),
        fieldOf('emails', { type: 'emails' }),
        fieldOf(TIER, { name: 'Tier', type: 'enum', options: [{ id: 12, label: 'Gold' }] }),
        fieldOf(BUDGET, { name: 'Budget', type: 'monetary' }),
      ],
      readAt: new Date(),
      askedAt: new Date(),
    }),
  );

const giving = (id: number | undefined, fields: Record<string, FieldValue>) =>
  named(id, '').map((step) => ({ ...step, fields }));

test('a row with a value Pipedrive must refuse is left out with cause and fix, and the others are written', async () => {
  await knowFields();
  const ids = await makePersons(6);
  const rows = [
    giving(ids[0], { name: 'Written' }),
    giving(ids[1], { [TIER]: 99 }),
    giving(ids[2], { [TIER]: 'Gold' }),
    giving(ids[3], { [BUDGET]: { value: 1, currency: 'QQQ' } }),
    giving(ids[4], { name: null }),
    giving(ids[5], { name: 'x'.repeat(300) }),
  ];
  const before = (await bystander.ledger()).tokens;
  const id = await changing.planned(rows);
  expect((await bystander.ledger()).tokens - before).toBeLessThanOrEqual(10);
  const changes = await changing.changes(id);
  expect(changes.map(({ effect, reason }) => [effect, reason])).toEqual([
    ['update', null],
    ['none', 'unknown_option'],
    ['none', 'unknown_option'],
    ['none', 'field_type_mismatch'],
    ['none', 'field_type_mismatch'],
    ['none', 'field_type_mismatch'],
  ]);
  expect(changes[2]).toMatchObject({
    planned_cause: `The field Tier (${TIER}) has no option of this id.`,
    planned_fix: 'This is the label of an option: give its id, 12.',
  });
  expect(JSON.stringify(changes)).not.toContain('QQQ');

  await changing.applied(id);
  expect((await changing.totals(id)).states).toMatchObject({ APPLIED: 1, SKIPPED: 5, PARKED: 0 });
  expect(await namesOf(ids.slice(0, 2))).toEqual(['Written', 'Before 1']);
  const [, left] = await changing.changes(id);
  expect(left).toMatchObject({
    step_state: 'skipped',
    cause: `The field Tier (${TIER}) has no option of this id.`,
  });
});

test('an id that nobody has leaves out its row and no other', async () => {
  const [one] = await makePersons(1);
  const rows = [named(one, 'After'), named(999_999, 'Nobody')];
  const id = await changing.planned(rows);
  expect((await changing.changes(id)).map(({ effect, reason }) => [effect, reason])).toEqual([
    ['update', null],
    ['none', 'record_not_found'],
  ]);
  await changing.applied(id);
  expect(await namesOf([one])).toEqual(['After']);
});

test('a new record without what Pipedrive needs is left out', async () => {
  const id = await changing.plan([[personStep('nameless@example.test', { fields: {} })]]);
  await changing.reached(id, 'done');
  expect(await changing.changes(id)).toMatchObject([
    { step_reason: 'required_target_missing', cause: expect.stringContaining('needs one of name') },
  ]);
});

test('what depends on a row that waits for a person is left out, and the set ends', async () => {
  const emails = [{ value: 'pair@example.test', label: 'work', primary: true }];
  await bystander.create('person', { name: 'One', emails });
  await bystander.create('person', { name: 'Two', emails });
  const id = await changing.plan([[personStep('pair@example.test'), leadStep()]]);
  await changing.reached(id, 'done');
  expect(
    (await changing.changes(id)).map(({ step_state, step_reason }) => [step_state, step_reason]),
  ).toEqual([
    ['parked', 'several_matches'],
    ['skipped', 'previous_step_not_applied'],
  ]);
});

test('a row whose identity too many records resemble is left out, and the others go on', async () => {
  const [one] = await makePersons(1);
  const rows = [[personStep(CROWD)], named(one, 'After')];
  const id = await changing.planned(rows);
  const [crowded, other] = await changing.changes(id);
  expect(other).toMatchObject({ effect: 'update' });
  expect(crowded).toMatchObject({
    effect: 'none',
    reason: 'index_needed',
    planned_cause: 'Pipedrive finds more records by this identity than can be looked at.',
  });
});

test('a row that is to be found by a field Pipedrive does not have is left out for that', async () => {
  await knowFields();
  const [one] = await makePersons(1);
  const identity = [{ kind: 'field' as const, field: 'nope', value: 'x' }];
  const rows = [[personStep('someone@example.test', { identity })], named(one, 'After')];
  const [unknown, other] = await changing.changes(await changing.planned(rows));
  expect(other).toMatchObject({ effect: 'update' });
  expect(unknown).toMatchObject({
    effect: 'none',
    reason: 'unknown_field',
    planned_cause: expect.stringContaining('has no field nope'),
  });
});
