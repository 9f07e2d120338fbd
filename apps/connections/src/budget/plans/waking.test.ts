import type { WriteRequestId } from '@manifold/contracts';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { finishedCall } from '../../../test/finished-calls.ts';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { createAccountLoaders } from '../../accounts/loaders.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { schemaFiles } from '../../subgraph.ts';
import { admitCall } from '../admitting.ts';
import type { PlannedCall } from '../commands.ts';
import { recordCall } from '../entering.ts';
import { createBudgetResolvers } from '../resolvers.ts';
import { nextMidnight } from '../rules.ts';
import { createPlanResolvers } from './resolvers.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const start = new Date('2026-03-01T10:00:00Z');
let now = start;
const plan = { burst: { OAUTH: 80, API_TOKEN: 80 }, dailyTokens: 100 };
const deps = { db, plan, now: () => now };
const { graph, stop } = await startTestGraph({
  service: 'connections',
  schemaFiles,
  resolvers: [createBudgetResolvers(deps), createPlanResolvers(deps)],
  loaders: (context) => createAccountLoaders({ db }, context),
});
let world: World;
let call: PlannedCall;
let waiting: WriteRequestId;
let companies = 0;

beforeEach(async () => {
  now = start;
  companies += 1;
  const companyId = `waking${companies}`;
  world = await createWorld({
    db,
    pipedrive,
    log: silentLog,
    eventually,
    companyId,
    now: deps.now,
  });
  call = {
    workspaceId: world.workspaceId,
    connectionId: world.connection.id,
    companyId,
    credential: companyId,
    method: 'API_TOKEN',
    operation: 'getPerson',
    lane: 'interactive',
    feature: 'live',
  };
  // all of the day's tokens, by our count
  await record({ priceTokens: 100 });
  const stored = await world.submit({ lane: 'bulk', steps: [personStep('a@example.test')] });
  waiting = stored.writeRequestId;
  await world.scoped((tx) =>
    tx
      .updateTable('write_step')
      .set({ state: 'queued', reason: 'budget_spent', not_before: nextMidnight(now) })
      .where('write_request_id', '=', waiting)
      .execute(),
  );
});
afterAll(async () => {
  await stop();
  await pipedrive.stop();
  await drop();
});

test('while the day is spent it says until when, and at most until the next look', async () => {
  const READ =
    'query ($id: ID!) { apiBudget(connectionId: $id) { remaining pausedUntil pauseReason } }';
  expect((await ask(READ)).apiBudget).toEqual({
    remaining: 0,
    pausedUntil: nextMidnight(start).toISOString(),
    pauseReason: 'budget_spent',
  });
  // whoever asks first has the next look set
  expect(await admit()).toMatchObject({ admitted: false });
  expect((await ask(READ)).apiBudget).toEqual({
    remaining: 0,
    pausedUntil: '2026-03-01T11:00:00.000Z',
    pauseReason: 'budget_spent',
  });
});

test('an answer that tells of more tokens wakes what waits for another day', async () => {
  await record({ limits: {} });
  expect(await triesAgainAt()).toEqual(nextMidnight(start));
  await record({ limits: { dailyTokenLimit: 500, dailyTokensRemaining: 390 } });
  expect(await triesAgainAt()).toEqual(start);
});

test('an answer that tells of no more than was known wakes nobody', async () => {
  await record({ limits: { dailyTokenLimit: 100, dailyTokensRemaining: 40 } });
  await sleepTill(nextMidnight(start));
  await record({ limits: { dailyTokenLimit: 100, dailyTokensRemaining: 38 } });
  expect(await triesAgainAt()).toEqual(nextMidnight(start));
});

test('whoever says that there is more has the next call look at once, whatever was learned before', async () => {
  await record({ limits: { dailyTokenLimit: 100, dailyTokensRemaining: 0 } });
  const limits = { burstLimit: 80, burstRemaining: 5 };
  await record({ outcome: 'limited', status: 429, limits });
  expect(await admit()).toMatchObject({ admitted: false, reason: 'budget_spent' });
  await sleepTill(nextMidnight(start));

  const { setApiPlan } = await ask(
    `mutation ($id: ID!) { setApiPlan(input: { connectionId: $id, plan: LITE, topUpTokens: 5000 }) {
      apiBudget { dailyLimit remaining } } }`,
  );
  expect(setApiPlan.apiBudget).toEqual({ dailyLimit: 35_000, remaining: expect.any(Number) });
  expect(setApiPlan.apiBudget.remaining).toBeGreaterThan(34_000);
  expect(await triesAgainAt()).toEqual(start);
  now = new Date(start.getTime() + 1);
  expect(await admit()).toMatchObject({ admitted: true });
});

test('a plan said on a day that nothing has stopped stops nobody', async () => {
  await ask(
    `mutation ($id: ID!) { setApiPlan(input: { connectionId: $id, plan: LITE }) {
      apiBudget { dailyLimit } } }`,
  );
  for (const later of [1, 2, 3]) {
    now = new Date(start.getTime() + later);
    expect(await admit()).toMatchObject({ admitted: true });
  }
});

// builders

const ask = async (query: string) => {
  const caller = { workspaceId: world.workspaceId };
  const { data, errors } = await graph(query, { id: world.connection.id }, caller);
  expect(errors).toBeUndefined();
  return data;
};
const admit = () => admitCall(db, call, { now, plan });
const record = (change: Parameters<typeof finishedCall>[1]) =>
  recordCall(db, finishedCall(call, change), { now, plan });
const sleepTill = (not_before: Date) =>
  world.scoped((tx) => tx.updateTable('write_step').set({ not_before }).execute());
const triesAgainAt = async () => (await world.stepsOf(waiting))[0]?.not_before;
