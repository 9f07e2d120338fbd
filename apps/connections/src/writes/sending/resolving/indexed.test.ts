import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { untilRested } from '../../../../test/storm.ts';
import { createTracking, type Tracking } from '../../../../test/tracking.ts';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { startWriteWorker } from '../worker.ts';

const PERSONS = 250;

const { db, drop } = await createTestDatabase<Tables>(migrations);
// what a search would not find for an hour
const pipedrive = await startTestPipedrive({ searchLagMs: 3_600_000 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
let world: World;
let tracking: Tracking;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  tracking = createTracking(world);
  await tracking.track([{ kind: 'email' }, { kind: 'phone' }]);
  await tracking.settle();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('with a fresh index new persons cost 5.2 tokens at most, and nothing is searched for', async () => {
  const before = (await bystander.ledger()).tokens;
  for (let number = 0; number < PERSONS; number += 1) {
    const steps = [personStep(`new${number}@example.test`)];
    await world.submit({ lane: 'bulk', steps });
  }
  run();
  expect(await untilRested({ world, eventually })).toEqual({ applied: PERSONS });

  const { tokens, operations } = await bystander.ledger();
  expect((tokens - before) / PERSONS).toBeLessThanOrEqual(5.2);
  expect(operations.map(({ operation }) => operation)).not.toContain('v2 searchPersons');
}, 120_000);

test('a person only the index knows is found, read and compared', async () => {
  const made = await bystander.create('person', {
    name: 'Old',
    emails: [{ value: 'Known@example.test', primary: true }],
  });
  run();
  const [step] = await world.settled(
    (await world.submit({ steps: [personStep('known@example.test')] })).writeRequestId,
  );
  expect(step).toMatchObject({ effect: 'updated', pipedrive_id: String(made.id) });
});

test('keys that the index knows to mean different persons park the write with both', async () => {
  const one = await bystander.create('person', {
    name: 'One',
    emails: [{ value: 'one@example.test', primary: true }],
  });
  const two = await bystander.create('person', {
    name: 'Two',
    phones: [{ value: '+4930123456', primary: true }],
  });
  run();
  const step = personStep('one@example.test', {
    identity: [
      { kind: 'email', value: 'one@example.test' },
      { kind: 'phone', value: '+49 30 123456' },
    ],
  });
  const { writeRequestId } = await world.submit({ steps: [step] });
  const [parked] = await world.settled(writeRequestId, 'parked');
  expect(parked).toMatchObject({ reason: 'several_matches' });
  expect(parked?.candidates.toSorted()).toEqual([String(one.id), String(two.id)].toSorted());
});

// builders

const run = () => void closing.push(startWriteWorker({ ...world.deps, indexFreshMs: 60_000 }).stop);
