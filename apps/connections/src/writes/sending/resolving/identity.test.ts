import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';

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

test('keys that mean different records park the write with both of them', async () => {
  const [one] = await write(personStep('one@example.test'));
  const [two] = await write(personStep('two@example.test'));
  const both = personStep('one@example.test', {
    identity: [email('one@example.test'), email('two@example.test')],
  });
  const [parked] = await parkedOf(both);

  expect(parked).toMatchObject({ reason: 'several_matches' });
  expect(new Set(parked?.candidates)).toEqual(new Set([one?.pipedrive_id, two?.pipedrive_id]));
});

test('steps that share one of several keys never make two records', async () => {
  const steps = [
    personStep('a@example.test', { identity: [email('a@example.test'), email('shared@x.test')] }),
    personStep('b@example.test', { identity: [email('shared@x.test'), email('b@example.test')] }),
    personStep('c@example.test', { identity: [email('b@example.test')] }),
  ];
  const stored: Awaited<ReturnType<World['submit']>>[] = [];
  for (const step of steps) stored.push(await world.submit({ steps: [step] }));
  for (const { writeRequestId } of stored) await world.settled(writeRequestId);

  expect(await bystander.list('person')).toHaveLength(1);
});

test('a person is found by telephone number however it is spelled by us', async () => {
  const made = await bystander.create('person', {
    name: 'Grace',
    phones: [{ value: '+49 30 1234567', label: 'work', primary: true }],
  });
  const step = personStep('grace@example.test', {
    identity: [{ kind: 'phone', value: '+49 30 1234567' }],
  });
  const [found] = await write(step);
  expect(found).toMatchObject({ effect: 'updated', pipedrive_id: String(made.id) });

  const spelled = { kind: 'phone' as const, value: '0049 (30) 123-4567' };
  const [again] = await write(personStep('grace@example.test', { identity: [spelled] }));
  expect(again).toMatchObject({ state: 'no_change', pipedrive_id: String(made.id) });
});

test('a key Pipedrive cannot search parks the write until there is an index, and creates nothing', async () => {
  const step = {
    name: 'org',
    operation: 'upsert' as const,
    object: 'organization' as const,
    identity: [{ kind: 'domain' as const, value: 'https://www.acme.test/shop' }],
    fields: { name: 'Acme' },
  };
  const [parked] = await parkedOf(step);

  expect(parked).toMatchObject({ reason: 'index_needed' });
  expect(parked?.fix).toContain('index');
  expect(await bystander.list('organization')).toHaveLength(0);
});

test('an update changes a record that is there and makes none', async () => {
  const step = personStep('update@example.test', { operation: 'update' });
  const [absent] = await write(step);
  expect(absent).toMatchObject({ state: 'skipped', reason: 'record_not_found' });

  await bystander.create('person', { name: 'Old', emails: [{ value: 'update@example.test' }] });
  const [found] = await write(step);
  expect(found).toMatchObject({ state: 'applied', effect: 'updated', changed_keys: ['name'] });
});

test('a field that was edited since is left alone, the others are written', async () => {
  const made = await bystander.create('person', { name: 'Edited', visible_to: 3 });
  const identity = [{ kind: 'pipedrive_id' as const, value: String(made.id) }];
  const change = (onlyWhere: Record<string, string | number>) =>
    personStep('x@example.test', {
      operation: 'update',
      identity,
      fields: { name: 'Put back', visible_to: 1 },
      onlyWhere,
    });
  const [some] = await write(change({ name: 'Ours', visible_to: 3 }));
  expect(some).toMatchObject({ state: 'applied', changed_keys: ['visible_to'] });

  const [none] = await write(change({ name: 'Ours', visible_to: 7 }));
  expect(none).toMatchObject({ state: 'no_change' });
  const [kept] = await write(
    personStep('x@example.test', { identity, fields: { name: 'Y' }, onlyWhere: { name: 'Ours' } }),
  );
  expect(kept).toMatchObject({ state: 'skipped', reason: 'edited_since' });
  expect((await bystander.list('person'))[0]).toMatchObject({ name: 'Edited', visible_to: 1 });
});

// builders

type StepInput = ReturnType<typeof personStep>;
const write = async (...steps: StepInput[]) =>
  world.settled((await world.submit({ steps })).writeRequestId);
const parkedOf = async (step: StepInput) =>
  world.settled((await world.submit({ steps: [step] })).writeRequestId, 'parked');
const email = (value: string) => ({ kind: 'email' as const, value });
