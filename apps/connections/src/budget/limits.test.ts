import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { listEvents } from '../../test/looking.ts';
import { personStep } from '../../test/write-commands.ts';
import { createWorld } from '../../test/writing.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { startWriteWorker } from '../writes/sending/worker.ts';

const FACTOR = 30;
const BLOCK_AFTER = 3;
/** What was on its way when the edge shut, and a look at the end. */
const FEW = 24;

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({
  timeFactor: FACTOR,
  searchLagMs: 0,
  limits: { plan: 'lite', apiToken: 4, blockAfter: BLOCK_AFTER },
});
const { now } = pipedrive.clock;
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, now });

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('once the edge shuts the credential out hardly anything is asked until it lets us in again, and all is done', async () => {
  const asked = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      world.submit({ lane: 'bulk', steps: [personStep(`edge${index}@example.test`, create)] }),
    ),
  );
  // leases are of the fast clock, what keeps them is of the real one
  const worker = startWriteWorker({ ...world.deps, leaseMs: 15_000 * FACTOR });
  await eventually(
    async () => {
      const steps = await Promise.all(asked.map((one) => world.stepsOf(one.writeRequestId)));
      const states = steps.flat().map(({ state, reason }) => `${state} ${reason}`);
      expect(new Set(states)).toEqual(new Set(['applied null']));
    },
    { timeoutMs: 60_000 },
  );
  await worker.stop();
  const seen = JSON.parse(await (await fetch(`${pipedrive.controlUrl}/windows`)).text());
  expect(seen.blocked).toBeGreaterThan(0);
  expect(seen.blocked).toBeLessThanOrEqual(FEW);

  const events = await listEvents(db, world.workspaceId, 'budget_changed');
  const changes = events.map(({ payload }) => payload.change);
  expect(changes).toEqual(['paused', 'resumed']);
}, 90_000);

// builders

/** Straight to the call: nothing is looked for. */
const create = { operation: 'create' } as const;
