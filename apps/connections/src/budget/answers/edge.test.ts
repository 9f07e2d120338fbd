import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { listEvents } from '../../../test/looking.ts';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { startWriteWorker } from '../../writes/sending/worker.ts';

/** Fewer than we believe, so that the first calls find out together. */
const LIMIT = 4;
const BLOCK_AFTER = 3;
/** Bulk calls that leave at one moment. */
const AT_ONCE = 18;
const WRITES = 20;

const { db, drop } = await createTestDatabase<Tables>(migrations);
// stands still but for the jumps of this test: nothing depends on how fast the machine is
const startedAt = new Date('2026-03-01T10:00:00Z');
const pipedrive = await startTestPipedrive({
  now: () => startedAt,
  searchLagMs: 0,
  limits: { plan: 'lite', apiToken: LIMIT, blockAfter: BLOCK_AFTER },
});
const { now } = pipedrive.clock;
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, now });

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('once the edge shuts the credential out nothing is asked until it lets us in again, and all is done', async () => {
  await control('POST', '/faults', {
    kind: 'latency',
    ms: 10,
    match: { method: 'POST', path: '/api/v2/persons' },
  });
  const asked = await Promise.all(
    Array.from({ length: WRITES }, (_, index) =>
      world.submit({ lane: 'bulk', steps: [personStep(`edge${index}@example.test`, create)] }),
    ),
  );
  const worker = startWriteWorker({ ...world.deps, leaseMs: 24 * 3_600_000 });
  await eventually(async () => expect(await countHeld()).toBe(AT_ONCE), { timeoutMs: 60_000 });
  await control('DELETE', '/faults');
  await advance(10);

  await eventually(
    async () => {
      await advance(1_000);
      const steps = await Promise.all(asked.map((one) => world.stepsOf(one.writeRequestId)));
      const states = steps.flat().map(({ state, reason }) => `${state} ${reason}`);
      expect(new Set(states)).toEqual(new Set(['applied null']));
    },
    { timeoutMs: 90_000 },
  );
  await worker.stop();
  // those that were on their way when it shut, and nobody after them
  expect(await control('GET', '/windows')).toMatchObject({
    admitted: WRITES,
    refused: BLOCK_AFTER,
    blocked: AT_ONCE - LIMIT - BLOCK_AFTER,
  });

  const events = await listEvents(db, world.workspaceId, 'budget_changed');
  const changes = events.map(({ payload }) => payload.change);
  expect(changes).toEqual(['paused', 'resumed']);
}, 180_000);

// builders

/** Straight to the call: nothing is looked for. */
const create = { operation: 'create' } as const;

async function control(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${pipedrive.controlUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return JSON.parse(await response.text());
}

const advance = (advanceMs: number) => control('POST', '/clock', { advanceMs });

const State = z.object({ faultsStruck: z.record(z.string(), z.int()) });

/** Calls Pipedrive has taken and does not look at yet. */
const countHeld = async (): Promise<number> =>
  State.parse(await control('GET', '/state')).faultsStruck['latency'] ?? 0;
