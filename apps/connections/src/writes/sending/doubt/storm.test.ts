import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import {
  listLost,
  runStorm,
  STORM_SEARCH_LAG_MS,
  STORM_SETTLE_MS,
} from '../../../../test/storm.ts';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import type { Step } from '../../store.ts';

const COUNT = 200;
const FACTOR = 30;

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({
  timeFactor: FACTOR,
  searchLagMs: STORM_SEARCH_LAG_MS,
});
let world: World;

beforeEach(async () => {
  await fetch(`${pipedrive.controlUrl}/faults`, { method: 'DELETE' });
  await fetch(`${pipedrive.controlUrl}/reset`, { method: 'POST', body: '{}' });
  const { now } = pipedrive.clock;
  const settleMs = STORM_SETTLE_MS;
  world = await createWorld({ db, pipedrive, log: silentLog, eventually, now, settleMs });
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('creates without an answer are neither doubled nor lost, whenever Pipedrive carries them out (SL-57)', async () => {
  const storm = await runStorm(place(), { count: COUNT, factor: FACTOR });

  const { applied = 0, parked = 0 } = storm.tally;
  expect(storm.duplicates).toEqual([]);
  expect(storm.lost).toEqual([]);
  expect(applied + parked).toBe(COUNT);
  // four creates without an answer in a row
  expect(parked).toBeLessThanOrEqual(1);
}, 200_000);

test('the same storm doubles persons where a create without an answer is sent again at once', async () => {
  const storm = await runStorm(place(), { count: COUNT, factor: FACTOR, isNaive: true });
  expect(storm.duplicates.length).toBeGreaterThan(10);
}, 200_000);

test('a step that points at another person, or at none, is counted as lost', async () => {
  const worker = world.startWorker();
  const wanted = new Map<string, string>();
  const steps: Step[] = [];
  for (const email of ['one@example.test', 'two@example.test', 'three@example.test']) {
    const { writeRequestId } = await world.submit({ steps: [personStep(email)] });
    steps.push(...(await world.settled(writeRequestId)));
    wanted.set(writeRequestId, email);
  }
  await worker.stop();
  expect(await listLost(world, wanted)).toEqual([]);

  const [one, two] = steps;
  await point(one, two?.pipedrive_id ?? '');
  await point(two, '999999');
  expect(new Set(await listLost(world, wanted))).toEqual(new Set([one?.id, two?.id]));
});

// builders

const place = () => ({ world, pipedrive, eventually });

async function point(step: Step | undefined, pipedrive_id: string) {
  if (step === undefined) throw new Error('no step');
  await world.scoped((tx) =>
    tx.updateTable('write_step').set({ pipedrive_id }).where('id', '=', step.id).execute(),
  );
}
