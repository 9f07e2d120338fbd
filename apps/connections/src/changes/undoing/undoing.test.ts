import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { forgetImages } from './forgetting.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons, readPersons, namesOf } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
let sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: () => sender.wake() });

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

const editByHand = (id: number | undefined, fields: object) =>
  bystander.call('POST', '/control/edit', { object: 'person', id, fields });

test('of 500 changes undone, 20 that a person has edited since stay and are listed', async () => {
  const ids = await makePersons(500);
  const id = await changing.planned(ids.map((person) => named(person, 'After')));
  await changing.applied(id);
  for (const person of ids.slice(0, 20)) await editByHand(person, { name: 'By hand' });

  const undo = await changing.undo(id);
  await changing.reached(undo, 'awaiting_approval', 120_000);
  expect((await changing.totals(undo)).effects).toMatchObject({ update: 480, none: 20 });
  await changing.applied(undo);

  const names = await namesOf(ids);
  expect(names.filter((name) => name === 'By hand')).toHaveLength(20);
  expect(names.slice(20)).toEqual(ids.slice(20).map((_, index) => `Before ${index + 20}`));
  const kept = await changing.changes(undo, { reasons: ['edited_since'] });
  expect(kept.map(({ kept_keys, pipedrive_id }) => [kept_keys, pipedrive_id])).toEqual(
    ids.slice(0, 20).map((person) => [['name'], String(person)]),
  );
}, 500_000);

test('a field somebody edited stays, and the others of the record are restored', async () => {
  const [one] = await makePersons(1);
  const [steps] = [named(one, 'After')];
  const rows = steps.map((step) => ({ ...step, fields: { name: 'After', visible_to: 1 } }));
  const [before] = await readPersons([one]);
  const id = await changing.planned([rows]);
  await changing.applied(id);
  await editByHand(one, { name: 'By hand' });
  const undo = await changing.undo(id);
  await changing.reached(undo, 'awaiting_approval');
  await changing.applied(undo);

  const [after] = await readPersons([one]);
  expect(after).toMatchObject({ name: 'By hand', visible_to: before?.['visible_to'] });
});

test('an e-mail address that was added goes again, and those that were there stay', async () => {
  const person = await bystander.create('person', {
    name: 'Ada',
    emails: [{ value: 'first@example.test', label: 'work', primary: true }],
  });
  const step = personStep('second@example.test', {
    identity: [{ kind: 'pipedrive_id', value: String(person.id) }],
    fields: { emails: [{ value: 'second@example.test', label: 'work', primary: false }] },
  });
  const id = await changing.planned([[step]]);
  await changing.applied(id);
  expect(await addressesOf(Number(person.id))).toEqual([
    'first@example.test',
    'second@example.test',
  ]);
  const undo = await changing.undo(id);
  await changing.reached(undo, 'awaiting_approval');
  await changing.applied(undo);
  expect(await addressesOf(Number(person.id))).toEqual(['first@example.test']);
});

const addressesOf = async (id: number): Promise<string[]> => {
  const [person] = await readPersons([id]);
  const { emails } = JSON.parse(JSON.stringify(person));
  return emails.map(({ value }: { value: string }) => value);
};

test('a record that was made is deleted only if nobody has touched it', async () => {
  const emails = ['kept@example.test', 'gone@example.test'];
  const id = await changing.planned(emails.map((email) => [personStep(email)]));
  await changing.applied(id);
  const made = (await changing.changes(id)).map(({ step_pipedrive_id }) =>
    Number(step_pipedrive_id),
  );
  await eventually(async () => {
    await editByHand(made[0], { name: `Edited ${Date.now()}` });
    const [kept] = await readPersons([made[0]]);
    expect(kept?.['update_time']).not.toBe(kept?.['add_time']);
  });
  const undo = await changing.undo(id);
  const set = await changing.reached(undo, 'awaiting_approval');
  expect(set.reason).toBe('deletes_not_allowed');
  await changing.applied(undo);

  const [kept, gone] = await readPersons(made);
  expect(kept).toBeDefined();
  expect(gone).toBeUndefined();
});

test('a record that was made and touched just before it would be deleted stays', async () => {
  const id = await changing.planned([[personStep('late@example.test')]]);
  await changing.applied(id);
  const [made] = await changing.changes(id);
  const person = Number(made?.step_pipedrive_id);
  const undo = await changing.undo(id);
  await changing.reached(undo, 'awaiting_approval');
  await sender.stop();
  await changing.approve(undo);
  await eventually(async () =>
    expect((await changing.totals(undo)).states).toMatchObject({ APPLYING: 1 }),
  );
  await eventually(async () => {
    await editByHand(person, { name: `Edited ${Date.now()}` });
    const [kept] = await readPersons([person]);
    expect(kept?.['update_time']).not.toBe(kept?.['add_time']);
  });
  sender = world.startWorker();
  await changing.reached(undo, 'done');
  expect((await readPersons([person]))[0]).toBeDefined();
});

const refusalOf = (id: Parameters<typeof changing.undo>[0]) =>
  changing.undo(id).then(
    () => undefined,
    (error: unknown) => error,
  );
const deleting = (id: number | undefined) =>
  named(id, 'unused').map((step) => ({ ...step, operation: 'delete' as const, fields: {} }));
const merging = (loser: number | undefined, survivor: number | undefined) =>
  named(loser, 'unused').map((step) => ({
    ...step,
    operation: 'merge' as const,
    fields: {},
    survivor: [{ kind: 'pipedrive_id' as const, value: String(survivor) }],
  }));

test('of a set that deletes one record and changes another, the deletion is shown as irreversible', async () => {
  const [one, two] = await makePersons(2);
  const id = await changing.planned([deleting(one), named(two, 'After')]);
  expect((await changing.find(id)).reason).toBe('deletes_not_allowed');
  await changing.applied(id);
  const undo = await changing.undo(id);
  await changing.reached(undo, 'awaiting_approval');
  expect(await changing.changes(undo)).toMatchObject([
    { effect: 'none', reason: 'irreversible' },
    { effect: 'update', changed_keys: ['name'] },
  ]);
});

test('a set that only deletes and joins records is not undone, and no empty set is made', async () => {
  const [one, loser, survivor] = await makePersons(3);
  const id = await changing.planned([deleting(one), merging(loser, survivor)]);
  await changing.applied(id);
  expect((await namesOf([loser, survivor])).filter((name) => name !== undefined)).toHaveLength(1);
  expect(await refusalOf(id)).toMatchObject({
    kind: 'precondition',
    detail: { reason: 'irreversible', field: 'input.id', fix: expect.stringContaining('by hand') },
  });
});

test('a merge waits for a person', async () => {
  const [loser, survivor] = await makePersons(2);
  const id = await changing.planned([merging(loser, survivor)]);
  expect((await changing.find(id)).reason).toBe('merges_not_allowed');
  await changing.cancel(id);
});

test('what has written nothing, or is being undone already, is not undone', async () => {
  const [one] = await makePersons(1);
  const empty = await changing.planned([named(one, 'Never')]);
  expect(await refusalOf(empty)).toMatchObject({ detail: { reason: 'change_set_not_ready' } });
  await changing.cancel(empty);
  await changing.reached(empty, 'cancelled');
  expect(await refusalOf(empty)).toMatchObject({ detail: { reason: 'nothing_to_change' } });

  const id = await changing.planned([named(one, 'After')]);
  await changing.applied(id);
  const undo = await changing.undo(id);
  expect(await refusalOf(id)).toMatchObject({
    detail: { reason: 'change_set_not_ready', fix: expect.stringContaining(undo) },
  });
});

test('an undo can be undone', async () => {
  const [one] = await makePersons(1);
  const id = await changing.planned([named(one, 'After')]);
  await changing.applied(id);
  const undo = await changing.undo(id);
  await changing.reached(undo, 'awaiting_approval');
  await changing.applied(undo);
  const redo = await changing.undo(undo);
  await changing.reached(redo, 'awaiting_approval');
  await changing.applied(redo);
  expect(await namesOf([one])).toEqual(['After']);
});

test('once the values from before are no longer kept, nothing can be undone', async () => {
  const [one] = await makePersons(1);
  const id = await changing.planned([named(one, 'After')]);
  await changing.applied(id);
  const later = new Date(Date.now() + 31 * 24 * 3_600_000);
  await forgetImages({ db, log: silentLog, now: () => later });

  expect(await changing.changes(id)).toMatchObject([{ sealed_before: null, sealed_after: null }]);
  const refusal = await changing.undo(id).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ detail: { reason: 'undo_not_available' } });
});
