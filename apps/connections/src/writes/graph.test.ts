import type { Role, WriteRequestId } from '@manifold/contracts';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { createAccountLoaders } from '../accounts/loaders.ts';
import { createBudgetResolvers } from '../budget/resolvers.ts';
import { dayOf, planOf } from '../budget/rules.ts';
import { findDay, newDay, setDays } from '../budget/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { schemaFiles } from '../subgraph.ts';
import { createWriteLoaders, createWriteResolvers } from './resolvers.ts';
import { createBystander } from '../../test/bystander.ts';
import { listEvents } from '../../test/looking.ts';
import { leadStep, personStep } from '../../test/write-commands.ts';
import { createWorld, type World } from '../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const plan = planOf({ plan: 'lite', seats: 1, dailyTokens: undefined });
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, plan });
const stranger = await createWorld({
  db,
  pipedrive,
  log: silentLog,
  eventually,
  vault: world.vault,
});
const worker = world.startWorker();
const deps = { db, plan, now: () => new Date(), wake: worker.wake };
const { graph, stop: stopGraph } = await startTestGraph({
  service: 'connections',
  schemaFiles,
  resolvers: [createBudgetResolvers(deps), createWriteResolvers(deps)],
  loaders: (context) => ({
    ...createAccountLoaders({ db }, context),
    ...createWriteLoaders({ db }, context),
  }),
});

beforeEach(() => bystander.reset());
afterAll(async () => {
  await worker.stop();
  await stopGraph();
  await pipedrive.stop();
  await drop();
});

const REQUEST = `query ($id: ID!) { writeRequest(id: $id) {
  id state reason lane costTokens settledAt cause { service type id } connection { id }
  steps { id name object operation state effect reason cause fix pipedriveId pipedriveUrl candidates
    costTokens attempts nextAttemptAt changedKeys settledAt } } }`;

const CANCEL = `mutation ($id: ID!) { cancelWriteRequest(input: { id: $id }) { writeRequest { id } } }`;

test('a write is shown with its steps, their records and their cost', async () => {
  const id = await written();
  const { data } = await ask(REQUEST, { id });

  expect(data).toMatchObject({
    writeRequest: {
      id,
      state: 'SUCCEEDED',
      lane: 'INTERACTIVE',
      costTokens: 35,
      cause: { service: 'referrals', type: 'ReferralUser' },
      connection: { id: world.connection.id },
      steps: [
        {
          name: 'person',
          object: 'PERSON',
          operation: 'UPSERT',
          state: 'APPLIED',
          effect: 'CREATED',
        },
        {
          name: 'lead',
          pipedriveUrl: expect.stringContaining('/leads/inbox/'),
          nextAttemptAt: null,
        },
      ],
    },
  });
});

test('a write of another workspace is one that does not exist', async () => {
  const id = await written();
  const absent = 'wr_00000000000000000000000000000000';
  const asStranger = { world: stranger };

  expect((await ask(REQUEST, { id }, asStranger)).data).toEqual({ writeRequest: null });
  expect((await ask(REQUEST, { id: absent }, asStranger)).data).toEqual({ writeRequest: null });
  const [foreign] = (await ask(CANCEL, { id }, asStranger)).errors;
  const [missing] = (await ask(CANCEL, { id: absent }, asStranger)).errors;
  expect(foreign?.message.replace(id, '')).toBe(missing?.message.replace(absent, ''));
  expect(foreign?.extensions).toEqual({
    code: 'NOT_FOUND',
    reason: 'record_not_found',
    field: 'input.id',
    fix: expect.any(String),
  });
});

test('writes are listed newest first, page by page, by state and cause', async () => {
  const ids = [await written(), await written(), await written()];
  const LIST = `query ($after: String, $filter: WriteRequestFilter) {
    writeRequests(first: 2, after: $after, filter: $filter) {
      totalCount nodes { id } pageInfo { hasNextPage endCursor } } }`;
  const pageShape = z.object({
    writeRequests: z.object({
      totalCount: z.number(),
      nodes: z.array(z.object({ id: z.string() })),
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string() }),
    }),
  });
  const filter = {
    state: ['SUCCEEDED'],
    connectionId: world.connection.id,
    cause: { type: 'ReferralUser' },
  };
  const first = pageShape.parse((await ask(LIST, { filter })).data).writeRequests;
  const second = pageShape.parse(
    (await ask(LIST, { filter, after: first.pageInfo.endCursor })).data,
  ).writeRequests;

  const listed = [...first.nodes, ...second.nodes].map(({ id }) => id);
  expect(listed.slice(0, 3)).toEqual(ids.toReversed());
  expect(first.totalCount).toBeGreaterThanOrEqual(3);
  const parked = await ask(LIST, { filter: { state: ['PARKED'] } });
  expect(parked.data).toMatchObject({ writeRequests: { totalCount: 0 } });
});

test('a parked step says what to do, and goes on when it is redriven, however often', async () => {
  const body = { name: 'Twin', emails: [{ value: 'graph@example.test', primary: true }] };
  await bystander.create('person', body);
  const two = await bystander.create('person', body);
  const stored = await world.submit({ steps: [personStep('graph@example.test'), leadStep()] });
  const stepId = await eventually(async () => {
    const { data } = await ask(REQUEST, { id: stored.writeRequestId });
    const parsed = requestShape.parse(data).writeRequest;
    expect(parsed).toMatchObject({ state: 'PARKED', reason: 'several_matches' });
    expect(parsed.steps[0]?.fix).toContain('redrive');
    return parsed.steps[0]?.id;
  });
  await bystander.call('DELETE', `/api/v2/persons/${two.id}`);

  const REDRIVE = `mutation ($input: RedriveInput!) { redrive(input: $input) { writeStep { id } } }`;
  const input = { writeStepId: stepId, idempotencyKey: 'once' };
  const viewer = await ask(REDRIVE, { input }, { role: 'VIEWER' });
  expect(viewer.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });
  for (const _ of [1, 2]) {
    expect((await ask(REDRIVE, { input })).data).toEqual({
      redrive: { writeStep: { id: stepId } },
    });
  }
  await finished(stored.writeRequestId);
  expect(await bystander.list('lead')).toHaveLength(1);
  const redriven = await listEvents(db, world.workspaceId, 'step_redriven');
  expect(redriven).toMatchObject([
    { actor: { kind: 'user' }, payload: { stepId, reason: 'several_matches' } },
  ]);
});

test.each([
  ['DISABLED', 'connection_disabled', 'enableConnection'],
  ['NEEDS_REAUTH', 'connection_needs_reauth', 'Connect'],
] as const)('a write on a connection that is %s says so', async (status, reason, fix) => {
  await world.setConnectionTo({ status });
  const { writeRequestId: id } = await world.submit({});
  const { data } = await ask(REQUEST, { id });
  const says = { reason, cause: expect.any(String), fix: expect.stringContaining(fix) };
  expect(data).toMatchObject({
    writeRequest: { state: 'PENDING', steps: [says, { state: 'PLANNED', ...says }] },
  });

  await ask(CANCEL, { id });
  await world.setConnectionTo({ status: 'ACTIVE' });
  const settled = await listEvents(db, world.workspaceId, 'step_settled');
  const cancelled = settled.filter(({ payload }) => payload.writeRequestId === id);
  expect(cancelled.map(({ actor }) => actor.kind)).toEqual(['user', 'user']);
});

test('a write that waits for the budget of the day says so', async () => {
  const now = new Date();
  const of = { workspaceId: world.workspaceId, companyId: '1', day: dayOf(now) };
  const pauseUntil = (paused_until: Date | null) =>
    world.scoped(async (tx) => {
      const day = await findDay(tx, of.companyId, of.day);
      await setDays(tx, [{ ...(day ?? newDay(of)), paused_until }]);
    });
  await pauseUntil(new Date(now.getTime() + 60_000));
  const { writeRequestId: id } = await world.submit({});
  const { data } = await ask(REQUEST, { id });
  await ask(CANCEL, { id });
  await pauseUntil(null);

  const says = {
    reason: 'budget_spent',
    cause: expect.any(String),
    fix: expect.stringContaining('day'),
  };
  expect(data).toMatchObject({ writeRequest: { steps: [says, says] } });
});

test('the budget shows what is left and what it was spent on', async () => {
  const BUDGET = `query ($id: ID!) { apiBudget(connectionId: $id) {
    connection { id } spentToday dailyLimit remaining pausedUntil pauseReason
    burst { limit used } search { limit used }
    operations: usage(by: OPERATION) { key calls tokens }
    days: usage(by: DAY, days: 2) { key tokens }
    features: usage(by: FEATURE) { key tokens } } }`;
  const before = budgetShape.parse((await ask(BUDGET, { id: world.connection.id })).data).apiBudget;
  await written();
  const after = budgetShape.parse((await ask(BUDGET, { id: world.connection.id })).data).apiBudget;

  expect(after.spentToday - before.spentToday).toBe(35);
  expect(after.dailyLimit).toBe(30_000);
  expect(after.remaining).toBe(30_000 - after.spentToday);
  expect(after.burst).toMatchObject({ limit: 20 });
  expect(after.burst.used).toBeGreaterThanOrEqual(3);
  expect(after.operations.map(({ key }) => key)).toContain('searchPersons');
  expect(after.features.map(({ key }) => key)).toEqual(['referrals']);
  expect(after.days).toEqual([
    { key: new Date().toISOString().slice(0, 10), tokens: after.spentToday },
  ]);
  const foreign = await ask(BUDGET, { id: world.connection.id }, { world: stranger });
  expect(foreign.data).toEqual({ apiBudget: null });
});

test('input of the wrong form names every field at fault', async () => {
  const { errors } = await ask(
    `{ writeRequests(filter: { connectionId: "${'x'.repeat(65)}", cause: { service: "${'y'.repeat(33)}" } }) { totalCount } }`,
    {},
  );
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'invalid_input' });
  expect(errors[0]?.message).toMatch(/connectionId.*service/);
});

// builders

const requestShape = z.object({
  writeRequest: z.object({
    state: z.string(),
    reason: z.string().nullable(),
    steps: z.array(z.object({ id: z.string(), fix: z.string().nullable() })),
  }),
});

const usage = z.array(z.object({ key: z.string(), tokens: z.number() }));
const windowShape = z.object({ limit: z.number(), used: z.number() });
const budgetShape = z.object({
  apiBudget: z.object({
    spentToday: z.number(),
    dailyLimit: z.number().nullable(),
    remaining: z.number().nullable(),
    burst: windowShape,
    search: windowShape,
    operations: usage,
    days: usage,
    features: usage,
  }),
});

const finished = (id: WriteRequestId) =>
  eventually(async () => {
    const { data } = await ask(REQUEST, { id });
    expect(data).toMatchObject({ writeRequest: { state: 'SUCCEEDED' } });
  });

/** A sign-up that has arrived in Pipedrive. */
async function written(): Promise<WriteRequestId> {
  const { writeRequestId } = await world.submit({});
  worker.wake();
  await finished(writeRequestId);
  return writeRequestId;
}

const answerShape = z.object({
  data: z.unknown(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.record(z.string(), z.unknown()) }))
    .default([]),
});

async function ask(query: string, variables: object, as: { world?: World; role?: Role } = {}) {
  const { world: asker = world, role = 'MEMBER' } = as;
  return answerShape.parse(await graph(query, variables, { workspaceId: asker.workspaceId, role }));
}
