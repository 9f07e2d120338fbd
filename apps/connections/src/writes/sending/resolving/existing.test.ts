import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { askerOf, leadStep, personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { redriveStep } from '../../redriving/commands.ts';
import type { Step } from '../../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  closing.push(world.startWorker().stop);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('an existing person is found whatever the case of the address and updated (RF-23)', async () => {
  await bystander.create('person', {
    name: 'Old Name',
    emails: [{ value: 'Grace@Example.test', label: 'home', primary: true }],
  });
  const { writeRequestId } = await world.submit({ steps: [personStep('grace@example.test')] });
  const [step] = await world.settled(writeRequestId);

  expect(step).toMatchObject({ state: 'applied', effect: 'updated', changed_keys: ['name'] });
  const [person, ...others] = await bystander.list('person');
  expect(others).toEqual([]);
  expect(person).toMatchObject({ name: 'Ada Canary' });
});

test('a new address joins those a person has, which stay as they are', async () => {
  const made = await bystander.create('person', {
    name: 'Ada Canary',
    emails: [{ value: 'first@example.test', label: 'home', primary: true }],
  });
  const step = personStep('second@example.test', {
    identity: [{ kind: 'pipedrive_id', value: String(made.id) }],
  });
  await world.settled((await world.submit({ steps: [step] })).writeRequestId);

  const [person] = await bystander.list('person');
  expect(person?.['emails']).toEqual([
    { value: 'first@example.test', label: 'home', primary: true },
    { value: 'second@example.test', label: 'work', primary: false },
  ]);
});

test('blanks are filled and nothing else is touched where only that is allowed', async () => {
  await bystander.create('person', {
    name: 'Kept Name',
    emails: [{ value: 'blank@example.test', label: 'work', primary: true }],
  });
  const step = personStep('blank@example.test', {
    existing: 'fill_blanks',
    fields: { name: 'Ada Canary', phones: [{ value: '+1 555', label: 'work', primary: true }] },
  });
  const [settledStep] = await world.settled((await world.submit({ steps: [step] })).writeRequestId);

  expect(settledStep).toMatchObject({ state: 'applied', changed_keys: ['phones'] });
  const [person] = await bystander.list('person');
  expect(person).toMatchObject({ name: 'Kept Name', phones: [{ value: '+1 555' }] });
});

test('an existing person is left alone where the campaign says so, and gets no lead (RF-21)', async () => {
  const made = await bystander.create('person', {
    name: 'Kept Name',
    emails: [{ value: 'left@example.test', label: 'work', primary: true }],
  });
  const steps = [personStep('left@example.test', { existing: 'leave' }), leadStep()];
  const { writeRequestId } = await world.submit({ steps });
  const [person, lead] = await world.settled(writeRequestId);

  expect(person).toMatchObject({
    state: 'skipped',
    reason: 'existing_record_left_alone',
    pipedrive_id: String(made.id),
  });
  expect(lead).toMatchObject({ state: 'skipped', reason: 'previous_step_not_applied' });
  expect(await bystander.list('lead')).toHaveLength(0);
});

test('a person who already is as wished costs a look and no write', async () => {
  const email = 'same@example.test';
  await world.settled((await world.submit({ steps: [personStep(email)] })).writeRequestId);
  const [again] = await world.settled(
    (await world.submit({ steps: [personStep(email)] })).writeRequestId,
  );

  expect(again).toMatchObject({ state: 'no_change', reason: 'nothing_to_change', cost_tokens: 1 });
});

test('a field only a create sets is not written to an existing record (RF-20)', async () => {
  const email = 'defaults@example.test';
  const step = personStep(email, { createOnlyFields: { name: 'Never', visible_to: 3 } });
  await world.settled((await world.submit({ steps: [step] })).writeRequestId);
  await bystander.call('PATCH', `/api/v2/persons/${(await bystander.list('person'))[0]?.id}`, {
    visible_to: 1,
  });
  const [again] = await world.settled((await world.submit({ steps: [step] })).writeRequestId);

  expect(again?.state).toBe('no_change');
  expect((await bystander.list('person'))[0]).toMatchObject({ name: 'Ada Canary', visible_to: 1 });
});

test('several people with one address park the write with the candidates, until it is redriven', async () => {
  const body = { name: 'Twin', emails: [{ value: 'twin@example.test', primary: true }] };
  const one = await bystander.create('person', body);
  const two = await bystander.create('person', body);
  const steps = [personStep('twin@example.test'), leadStep()];
  const { writeRequestId } = await world.submit({ steps });
  const [parked] = await world.settled(writeRequestId, 'parked');

  expect(parked).toMatchObject({ state: 'parked', reason: 'several_matches' });
  expect(parked?.candidates.toSorted()).toEqual([String(one.id), String(two.id)].toSorted());
  expect(parked?.fix).toContain('redrive');

  await bystander.call('DELETE', `/api/v2/persons/${two.id}`);
  await redrive(parked);
  await redrive(parked);
  const [person, lead] = await world.settled(writeRequestId);
  expect(person).toMatchObject({ state: 'applied', pipedrive_id: String(one.id) });
  expect(lead?.state).toBe('applied');
});

test('what Pipedrive refuses is parked with its cause and the way out', async () => {
  const step = personStep('refused@example.test', { fields: { name: '', owner_id: 99_999 } });
  const { writeRequestId } = await world.submit({ steps: [step] });
  const [parked] = await world.settled(writeRequestId, 'parked');

  expect(parked).toMatchObject({ state: 'parked', reason: 'pipedrive_refused' });
  expect(parked?.cause).toMatch(/^Pipedrive answered 400/);
  expect(parked?.cause).not.toContain('refused@example.test');
});

test('a record that was deleted in Pipedrive is made anew', async () => {
  const email = 'gone@example.test';
  const [first] = await world.settled(
    (await world.submit({ steps: [personStep(email)] })).writeRequestId,
  );
  await bystander.call('DELETE', `/api/v2/persons/${first?.pipedrive_id}`);
  const [second] = await world.settled(
    (await world.submit({ steps: [personStep(email)] })).writeRequestId,
  );

  expect(second).toMatchObject({ state: 'applied', effect: 'created' });
  expect(second?.pipedrive_id).not.toBe(first?.pipedrive_id);
});

test('an organization is found by its exact name', async () => {
  const made = await bystander.create('organization', { name: 'Acme Inc' });
  const step = {
    name: 'org',
    operation: 'upsert' as const,
    object: 'organization' as const,
    identity: [{ kind: 'name' as const, value: 'acme inc' }],
    fields: { website: 'https://acme.test' },
  };
  const [settledStep] = await world.settled((await world.submit({ steps: [step] })).writeRequestId);

  expect(settledStep).toMatchObject({ effect: 'updated', pipedrive_id: String(made.id) });
});

// builders

const redrive = async (step: Step | undefined) => {
  if (!step) throw new Error('no step');
  const asked = {
    asker: askerOf(step.workspace_id),
    userId: 'us_1',
    stepId: step.id,
    idempotencyKey: undefined,
  };
  await redriveStep(db, asked, new Date());
};
