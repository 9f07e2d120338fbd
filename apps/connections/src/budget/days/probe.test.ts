import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { listEvents } from '../../../test/looking.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const MINUTE_MS = 60_000;

const { db, drop } = await createTestDatabase<Tables>(migrations);
const startedAt = new Date('2026-03-01T10:00:00Z');
const limits = { plan: 'ultimate', dailyHeaders: false } as const;
const pipedrive = await startTestPipedrive({
  now: () => startedAt,
  limits: { ...limits, dailyTokens: 4 },
});
const { now } = pipedrive.clock;
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, now });

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('after an answer that the day is spent one call an hour looks whether tokens were bought, and then all go on', async () => {
  await callUntilSpent();

  expect(await callAtOnce(5)).toEqual({ passed: 0, asked: 0 });
  await control('POST', '/clock', { advanceMs: 15 * MINUTE_MS });
  expect(await callAtOnce(5)).toEqual({ passed: 0, asked: 1 });
  await control('POST', '/clock', { advanceMs: 20 * MINUTE_MS });
  expect(await callAtOnce(5)).toEqual({ passed: 0, asked: 0 });

  await control('PUT', '/limits', { ...limits, dailyTokens: 1_000 });
  await control('POST', '/clock', { advanceMs: 40 * MINUTE_MS });
  expect(await callAtOnce(5)).toEqual({ passed: 1, asked: 1 });
  expect(await callAtOnce(5)).toEqual({ passed: 5, asked: 5 });

  const events = await listEvents(db, world.workspaceId, 'budget_changed');
  expect(events.map(({ payload }) => payload.change)).toEqual(['paused', 'resumed']);
});

// builders

const clientOf = () =>
  world.deps.clientFor(world.workspaceId, world.connection.id, {
    lane: 'interactive',
    feature: 'live',
  });

async function callUntilSpent(): Promise<void> {
  const client = await clientOf();
  for (let calls = 0; calls < 10; calls += 1) {
    const { outcome } = await client.getMe();
    if (outcome === 'limited') return;
  }
  throw new Error('the day was never spent');
}

/** How many of these calls were answered, and how many Pipedrive saw. */
async function callAtOnce(count: number): Promise<{ passed: number; asked: number }> {
  const before = await seen();
  const client = await clientOf();
  const outcomes = await Promise.all(Array.from({ length: count }, () => client.getMe()));
  const passed = outcomes.filter(({ outcome }) => outcome === 'ok').length;
  return { passed, asked: (await seen()) - before };
}

async function seen(): Promise<number> {
  const { admitted, refused } = await control('GET', '/windows');
  return admitted + refused;
}

async function control(method: string, path: string, body?: unknown) {
  const response = await fetch(`${pipedrive.controlUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return JSON.parse(await response.text());
}
