import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import {
  runStorm,
  STORM_SEARCH_LAG_MS,
  STORM_SETTLE_MS,
  untilRested,
} from '../../../../test/storm.ts';
import { createTracking } from '../../../../test/tracking.ts';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { startWriteWorker } from '../worker.ts';

const FACTOR = 30;
const LIMIT_MS = 900_000;

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({
  timeFactor: FACTOR,
  searchLagMs: STORM_SEARCH_LAG_MS,
});

beforeEach(() => createBystander(pipedrive).reset());
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test(
  'of 2,000 persons none is doubled or lost while a fifth of the creates has no answer',
  async () => {
    const world = await stormy();
    const place = { world, pipedrive, eventually };
    const { duplicates, lost, tally } = await runStorm(place, { count: 2_000, factor: FACTOR });

    expect({ duplicates, lost }).toEqual({ duplicates: [], lost: [] });
    expect((tally['applied'] ?? 0) + (tally['parked'] ?? 0)).toBe(2_000);
    expect(tally['parked'] ?? 0).toBeLessThanOrEqual(2);
  },
  LIMIT_MS,
);

test(
  'the same storm makes more than 50 doubles where such a create is sent again at once',
  async () => {
    const world = await stormy();
    const options = { count: 2_000, factor: FACTOR, isNaive: true };
    const { duplicates } = await runStorm({ world, pipedrive, eventually }, options);
    expect(duplicates.length).toBeGreaterThan(50);
  },
  LIMIT_MS,
);

test(
  '10,000 new persons with a fresh index cost 5.2 tokens each at most, and no search',
  async () => {
    const steady = await startTestPipedrive();
    const bystander = createBystander(steady);
    const world = await createWorld({ db, pipedrive: steady, log: silentLog, eventually });
    const tracking = createTracking(world);
    await tracking.track([{ kind: 'email' }]);
    await tracking.settle();
    const before = (await bystander.ledger()).tokens;
    for (let number = 0; number < 10_000; number += 1) {
      const steps = [personStep(`new${number}@example.test`)];
      await world.submit({ lane: 'bulk', steps });
    }
    const worker = startWriteWorker(world.deps);
    expect(await untilRested({ world, eventually })).toEqual({ applied: 10_000 });
    await worker.stop();

    const { tokens, operations } = await bystander.ledger();
    await steady.stop();
    expect((tokens - before) / 10_000).toBeLessThanOrEqual(5.2);
    expect(operations.map(({ operation }) => operation)).not.toContain('v2 searchPersons');
  },
  LIMIT_MS,
);

// builders

function stormy(): Promise<World> {
  const { now } = pipedrive.clock;
  const settleMs = STORM_SETTLE_MS;
  return createWorld({ db, pipedrive, log: silentLog, eventually, now, settleMs });
}
