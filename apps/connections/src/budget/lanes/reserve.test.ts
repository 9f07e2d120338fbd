import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { listEvents } from '../../../test/looking.ts';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { nextMidnight, planOf } from '../rules.ts';

const DAILY_TOKENS = 200;
/** Five tokens each, and a tenth of the day is for others. */
const WRITES = 60;
const CARRIED_OUT = 36;

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({
  searchLagMs: 0,
  limits: { plan: 'ultimate', dailyTokens: DAILY_TOKENS, dailyHeaders: false },
});
const { now } = pipedrive.clock;
const plan = { ...planOf({ plan: 'ultimate', seats: 1, dailyTokens: DAILY_TOKENS }) };
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, now, plan });

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('bulk work stops at the reserve of the day, says when it goes on, leaves the rest to people, and goes on the next day', async () => {
  const asked = await Promise.all(
    Array.from({ length: WRITES }, (_, index) => submit('bulk', `bulk${index}@example.test`)),
  );
  // a lease that lapses on a busy machine would reserve tokens twice
  const worker = world.startWorker({ leaseMs: 15_000 });
  const stepsOf = async () =>
    (await Promise.all(asked.map((one) => world.stepsOf(one.writeRequestId)))).flat();
  const midnight = nextMidnight(now());

  const stopped = await eventually(
    async () => {
      const steps = await stepsOf();
      const waiting = steps.filter(({ reason }) => reason === 'budget_spent');
      const applied = steps.filter(({ state }) => state === 'applied');
      expect([applied.length, waiting.length]).toEqual([CARRIED_OUT, WRITES - CARRIED_OUT]);
      return waiting;
    },
    { timeoutMs: 60_000 },
  );
  expect(await spentToday()).toBe(0.9 * DAILY_TOKENS);
  for (const { not_before } of stopped) {
    // retries of many are spread a little, never before the day turns
    expect(not_before.getTime()).toBeGreaterThanOrEqual(midnight.getTime());
  }
  const until = midnight.toISOString();
  const stop = { change: 'lane_stopped', lane: 'bulk', until, reason: 'budget_spent' };
  expect(await lanesTold()).toEqual([expect.objectContaining(stop)]);

  const person = await submit('interactive', 'person@example.test');
  const [done] = await world.settled(person.writeRequestId);
  expect(done?.state).toBe('applied');

  await control('POST', '/clock', { advanceMs: Number(midnight) - Number(now()) + 60_000 });
  await eventually(
    async () => {
      const states = (await stepsOf()).map(({ state }) => state);
      expect(new Set(states)).toEqual(new Set(['applied']));
    },
    { timeoutMs: 60_000 },
  );
  await worker.stop();
  expect(await lanesTold()).toEqual([
    expect.objectContaining(stop),
    expect.objectContaining({ change: 'lane_resumed', lane: 'bulk' }),
  ]);
}, 180_000);

// builders

/** Straight to the call: nothing is looked for. */
const submit = (lane: 'bulk' | 'interactive', email: string) =>
  world.submit({ lane, steps: [personStep(email, { operation: 'create' })] });

async function control(method: string, path: string, body?: unknown) {
  const response = await fetch(`${pipedrive.controlUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return JSON.parse(await response.text());
}

const spentToday = async (): Promise<number> => (await control('GET', '/ledger')).tokens;

const lanesTold = async () =>
  (await listEvents(db, world.workspaceId, 'budget_changed'))
    .map(({ payload }) => payload)
    .filter(({ change }) => change.startsWith('lane_'));
