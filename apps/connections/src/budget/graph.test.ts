import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { operations } from '@manifold/pipedrive';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChanging } from '../../test/changing.ts';
import { personStep } from '../../test/write-commands.ts';
import { createWorld } from '../../test/writing.ts';
import { listEvents } from '../../test/looking.ts';
import { createAccountLoaders } from '../accounts/loaders.ts';
import { createChangeSetLoaders } from '../changes/reading/loaders.ts';
import { createChangeSetResolvers } from '../changes/resolvers.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { schemaFiles } from '../subgraph.ts';
import { createWriteLoaders, createWriteResolvers } from '../writes/resolvers.ts';
import { createRegistryLoaders } from '../registry/resolvers.ts';
import { createEstimateResolvers } from './estimates/resolvers.ts';
import { createForecastResolvers } from './forecast/resolvers.ts';
import { createPlanResolvers } from './plans/resolvers.ts';
import { createBudgetResolvers } from './resolvers.ts';
import { planOf } from './rules.ts';
import { createUsageResolvers } from './usage/resolvers.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const connectionId = world.connection.id;
const plan = planOf({ plan: 'lite', seats: 1, dailyTokens: undefined });
const nothing = () => undefined;
const deps = { ...world.deps, plan, wake: nothing, wakeChangeSets: nothing };
const { graph, stop } = await startTestGraph({
  service: 'connections',
  schemaFiles,
  resolvers: [
    ...[createBudgetResolvers(deps), createPlanResolvers(deps), createUsageResolvers(deps)],
    ...[
      createEstimateResolvers(),
      createForecastResolvers(deps),
      createChangeSetResolvers(deps),
      createWriteResolvers(deps),
    ],
  ],
  loaders: (context) => ({
    ...createAccountLoaders({ db }, context),
    ...createRegistryLoaders({ db }, context),
    ...createWriteLoaders({ db }, context),
    ...createChangeSetLoaders(deps, context),
  }),
  caller: { workspaceId: world.workspaceId },
});
const sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: sender.wake });

beforeAll(async () => {
  const { writeRequestId } = await world.submit({ steps: [personStep('used@example.test')] });
  await world.settled(writeRequestId);
});
afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await stop();
  await pipedrive.stop();
  await drop();
});

const ask = async (query: string, variables: object = {}) => {
  const { data, errors } = await graph(query, { id: connectionId, ...variables });
  expect(errors).toBeUndefined();
  return data;
};

test('a budget tells what is spent, what is left and for whom, and when the windows are free', async () => {
  const { apiBudget } = await ask(`query ($id: ID!) { apiBudget(connectionId: $id) {
    plan { name } spentToday spentByCompany dailyLimit remaining remainingForBulk pausedUntil
    burst { limit used forBulk freeAt } search { limit forBulk }
    usage(by: OPERATION) { key calls tokens } } }`);
  expect(apiBudget).toEqual({
    plan: null,
    // one search, one create, and the field that marks what Manifold made where that is allowed
    spentToday: expect.any(Number),
    spentByCompany: apiBudget.spentToday,
    dailyLimit: 30_000,
    remaining: 30_000 - apiBudget.spentToday,
    remainingForBulk: 27_000 - apiBudget.spentToday,
    pausedUntil: null,
    burst: { limit: 20, used: expect.any(Number), forBulk: 18, freeAt: null },
    search: { limit: 10, forBulk: 8 },
    usage: expect.arrayContaining([
      { key: 'searchPersons', calls: 1, tokens: 20 },
      { key: 'addPerson', calls: 1, tokens: 5 },
    ]),
  });
});

test('an administrator says what the company has subscribed to, and takes it back', async () => {
  const SET = `mutation ($input: SetApiPlanInput!) { setApiPlan(input: $input) {
    apiBudget { dailyLimit burst { limit } plan { name seats topUpTokens } } } }`;
  const input = { connectionId, plan: 'PREMIUM', seats: 2, topUpTokens: 5_000 };
  const { setApiPlan } = await ask(SET, { input });
  expect(setApiPlan.apiBudget).toEqual({
    dailyLimit: 305_000,
    burst: { limit: 100 },
    plan: { name: 'PREMIUM', seats: 2, topUpTokens: 5_000 },
  });
  const { errors } = await graph(SET, { input }, { role: 'MEMBER' });
  expect(errors[0].extensions).toMatchObject({ reason: 'role_too_low' });
  const back = await ask(SET, { input: { connectionId, plan: null } });
  expect(back.setApiPlan.apiBudget).toMatchObject({ dailyLimit: 30_000, plan: null });
});

test('calls are listed with what they were for, and added up in pages', async () => {
  const { apiCalls } = await ask(`{ apiCalls(filter: { operation: ["addPerson"] }, first: 5) {
    totalCount nodes { operation tokens status outcome lane feature connection { id } changeSet { id } } } }`);
  expect(apiCalls).toEqual({
    totalCount: 1,
    nodes: [
      {
        operation: 'addPerson',
        tokens: 5,
        status: 200,
        outcome: 'OK',
        lane: 'INTERACTIVE',
        feature: 'referrals',
        connection: { id: connectionId },
        changeSet: null,
      },
    ],
  });
  const PAGE = `query ($after: String) { apiUsage(by: OPERATION, first: 1, after: $after) {
    totalCount nodes { key } pageInfo { hasNextPage endCursor } } }`;
  const keys: string[] = [];
  let after: string | null = null;
  do {
    const { apiUsage } = await ask(PAGE, { after });
    keys.push(...apiUsage.nodes.map(({ key }: { key: string }) => key));
    after = apiUsage.pageInfo.hasNextPage ? apiUsage.pageInfo.endCursor : null;
    expect(apiUsage.totalCount).toBeGreaterThan(1);
  } while (after !== null);
  expect(keys[0]).toBe('searchPersons');
  expect(new Set(keys).size).toBe(keys.length);
});

test('what waits is priced, by lane and job, and told when it ends; a change set foretells its own', async () => {
  const FORECAST = `query ($id: ID!) { apiForecast(connectionId: $id) {
    tokens calls endsAt lanes { lane tokens } jobs { lane feature tokens calls searches waitsForAnotherDay } } }`;
  expect(await ask(FORECAST)).toMatchObject({ apiForecast: { tokens: 0, endsAt: null, jobs: [] } });
  const id = await changing.planned([
    [personStep('planned@example.test', { operation: 'create' })],
  ]);
  const { changeSet } = await ask(
    `query ($set: ID!) { changeSet(id: $set) { expectedSeconds forecast {
      tokens calls lane waitsForAnotherDay changeSet { id } } } }`,
    { set: id },
  );
  expect(changeSet).toMatchObject({
    expectedSeconds: expect.any(Number),
    forecast: {
      tokens: 5,
      calls: 1,
      lane: 'BULK',
      waitsForAnotherDay: false,
      changeSet: { id },
    },
  });

  await world.setConnectionTo({ status: 'DISABLED' });
  const steps = [personStep('queued@example.test')];
  await world.submit({ lane: 'bulk', steps }).catch(() => undefined);
  const { apiForecast } = await ask(FORECAST);
  await world.setConnectionTo({ status: 'ACTIVE' });
  expect(apiForecast).toEqual({
    tokens: 25,
    calls: 2,
    endsAt: expect.any(String),
    lanes: [{ lane: 'BULK', tokens: 25 }],
    jobs: [
      {
        lane: 'BULK',
        feature: 'referrals',
        tokens: 25,
        calls: 2,
        searches: 1,
        waitsForAnotherDay: false,
      },
    ],
  });
});

test('a connection of another workspace has no budget and no forecast', async () => {
  const elsewhere = { workspaceId: `ws_${'0'.repeat(32)}` as typeof world.workspaceId };
  const query = `query ($id: ID!) { apiBudget(connectionId: $id) { day } apiForecast(connectionId: $id) { tokens } }`;
  const { data } = await graph(query, { id: connectionId }, elsewhere);
  expect(data).toEqual({ apiBudget: null, apiForecast: null });
});

test('a job says what it will take before it is begun, by the price list', async () => {
  const estimate = async (job: string, more = '') => {
    const { apiEstimate } = await ask(`query ($id: ID!) {
      apiEstimate(connectionId: $id, job: ${job}, object: PERSON${more}) { tokens calls records } }`);
    return apiEstimate;
  };
  const [list, one] = [operations.getPersons.priceTokens, operations.getPerson.priceTokens];
  const create = operations.getPersonFields.priceTokens + operations.addPersonField.priceTokens;
  // pages of 500
  expect(await estimate('VERIFY_COMPLETENESS', ', records: 1001')).toEqual({
    tokens: 3 * list,
    calls: 3,
    records: 1_001,
  });
  expect(await estimate('TRACK_RECORDS')).toEqual({ tokens: null, calls: null, records: null });
  expect(await estimate('READ_RECORDS')).toEqual({ tokens: one, calls: 1, records: 1 });
  expect(await estimate('CREATE_FIELD')).toEqual({ tokens: create, calls: 2, records: null });
});

test('of users nothing is estimated', async () => {
  const { errors } = await graph(
    'query ($id: ID!) { apiEstimate(connectionId: $id, job: READ_RECORDS, object: USER) { calls } }',
    { id: connectionId },
  );
  expect(errors?.[0]?.extensions).toMatchObject({ reason: 'invalid_input', field: 'object' });
});

test('a change of the plan is told', async () => {
  const input = { connectionId, plan: 'GROWTH', seats: 3 };
  await ask(
    'mutation ($input: SetApiPlanInput!) { setApiPlan(input: $input) { apiBudget { day } } }',
    { input },
  );
  const events = await listEvents(db, world.workspaceId, 'budget_changed');
  expect(events.at(-1)?.payload).toMatchObject({
    change: 'plan_changed',
    plan: 'growth',
    seats: 3,
    topUpTokens: 0,
  });
});
