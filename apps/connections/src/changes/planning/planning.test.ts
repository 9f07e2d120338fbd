import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { listEvents } from '../../../test/looking.ts';
import { createPeople, named } from '../../../test/people.ts';
import { leadStep, personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { rowWords } from './reasons/rules.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons, namesOf, readPersons } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: sender.wake });

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

const effectsOf = async (id: Parameters<typeof changing.changes>[0]) =>
  (await changing.changes(id)).map(({ effect, reason, matched_by }) => [
    effect,
    reason,
    matched_by,
  ]);

test('a record is found by its id, by what was written before, then by exact search', async () => {
  const [one] = await makePersons(1);
  const emails = [{ value: 'found@example.test', label: 'work', primary: true }];
  await bystander.create('person', { name: 'Ada Canary', emails });
  const rows = [
    named(one, 'After'),
    [personStep('found@example.test', { fields: { name: 'Searched' } })],
    [personStep('absent@example.test')],
    named(999_999, 'Nobody'),
  ];
  const id = await changing.planned(rows);
  expect(await effectsOf(id)).toEqual([
    ['update', null, 'pipedrive_id'],
    ['update', null, 'search'],
    ['create', null, null],
    ['none', 'record_not_found', null],
  ]);
  await changing.applied(id);

  const again = await changing.planned([
    [personStep('found@example.test', { fields: { name: 'Linked' } })],
  ]);
  expect(await effectsOf(again)).toEqual([['update', null, 'link']]);
});

test('two rows about one record are not both written', async () => {
  const [one] = await makePersons(1);
  const id = await changing.planned([
    named(one, 'First'),
    named(one, 'Second'),
    [personStep('twin@example.test')],
    [personStep('twin@example.test')],
  ]);
  expect((await effectsOf(id)).map(([effect, reason]) => [effect, reason])).toEqual([
    ['update', null],
    ['none', 'duplicate_in_change_set'],
    ['create', null],
    ['none', 'duplicate_in_change_set'],
  ]);
  await changing.applied(id);
  expect(await namesOf([one])).toEqual(['First']);
});

test('several records with one identity are listed as candidates and wait for a person', async () => {
  const emails = [{ value: 'both@example.test', label: 'work', primary: true }];
  const one = await bystander.create('person', { name: 'One', emails });
  const two = await bystander.create('person', { name: 'Two', emails });
  const id = await changing.plan([[personStep('both@example.test')]]);
  await changing.reached(id, 'done');
  expect(await changing.changes(id)).toMatchObject([
    {
      effect: 'none',
      reason: 'several_matches',
      candidates: [String(one.id), String(two.id)],
      step_state: 'parked',
      cause: rowWords.several_matches.cause,
      fix: rowWords.several_matches.fix,
    },
  ]);
  const { states, effects } = await changing.totals(id);
  expect({ states, effects }).toMatchObject({
    states: { PARKED: 1, SKIPPED: 0 },
    effects: { none: 1 },
  });
  const parked = { states: { ofSteps: ['parked'] } } as const;
  expect(await changing.changes(id, parked)).toHaveLength(1);
});

test('a later step takes the record an earlier one is going to make', async () => {
  const id = await changing.planned([[personStep('chain@example.test'), leadStep()]]);
  expect((await effectsOf(id)).map(([effect]) => effect)).toEqual(['create', 'create']);
  await changing.applied(id);
  const [person, lead] = await changing.changes(id);
  const leads = await bystander.list('lead');
  const made = leads.find((one) => one.id === lead?.step_pipedrive_id);
  expect(made?.['person_id']).toBe(Number(person?.step_pipedrive_id));
});

test('one somebody else made since the plan is left alone', async () => {
  const id = await changing.planned([[personStep('late@example.test')]]);
  const emails = [{ value: 'late@example.test', label: 'work', primary: true }];
  const made = await bystander.create('person', { name: 'By hand', emails });
  await changing.applied(id);
  expect(await namesOf([Number(made.id)])).toEqual(['By hand']);
  expect(await changing.changes(id)).toMatchObject([
    { step_state: 'skipped', step_reason: 'record_drifted' },
  ]);
});

test('what is deleted is what was approved, unless it was touched since', async () => {
  const [one, two] = await makePersons(2);
  const rows = [one, two].map((person) =>
    named(person, 'unused').map((step) => ({ ...step, operation: 'delete' as const, fields: {} })),
  );
  const guardRails = { allowDeletes: true };
  const id = await changing.planned(rows, { guardRails });
  // a set cannot allow itself what its workspace does not
  expect((await changing.find(id)).reason).toBe('deletes_not_allowed');
  await eventually(async () => {
    await bystander.call('PATCH', `/api/v2/persons/${one}`, { name: `Touched ${Date.now()}` });
    const [touched] = await readPersons([one]);
    expect(touched?.['update_time']).not.toBe(touched?.['add_time']);
  });
  await changing.applied(id);
  const [kept, gone] = await readPersons([one, two]);
  expect([kept === undefined, gone === undefined]).toEqual([false, true]);
});

test('events tell of a set by numbers and never by values', async () => {
  const [one] = await makePersons(1);
  const id = await changing.planned([named(one, 'Canary Value')]);
  await changing.applied(id);
  const events = (await listEvents(db, world.workspaceId)).filter(
    ({ payload }) => payload.changeSetId === id,
  );
  const progressed = 'connections.change_set_progressed.v1';
  expect(events.filter(({ name }) => name === progressed).length).toBeGreaterThan(1);
  const [planned, approved, finished] = events.filter(({ name }) => name !== progressed);
  expect([planned, approved, finished].map(({ name }) => name)).toEqual([
    'connections.change_set_planned.v1',
    'connections.change_set_approved.v1',
    'connections.change_set_finished.v1',
  ]);
  expect(planned.payload).toMatchObject({ updates: 1, waitsFor: 'approval_required' });
  expect(finished.payload).toMatchObject({ outcome: 'done', applied: 1, costTokens: 7 });
  expect(JSON.stringify(events)).not.toContain('Canary Value');
  const [change] = await changing.changes(id);
  expect(JSON.stringify(change)).not.toContain('Canary Value');
});

test('while the connection is switched off a plan waits, and says why (SL-15)', async () => {
  const [one] = await makePersons(1);
  await world.setConnectionTo({ status: 'DISABLED' });
  const id = await changing.plan([named(one, 'After')]);
  await eventually(async () =>
    expect(await changing.find(id)).toMatchObject({
      state: 'planning',
      waiting_reason: 'connection_disabled',
    }),
  );
  await world.setConnectionTo({ status: 'ACTIVE' });
  await changing.reached(id, 'awaiting_approval', 20_000);
});
