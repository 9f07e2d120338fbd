import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { leadStep, personStep } from '../../../test/write-commands.ts';
import { createWorld, NOWHERE, type World } from '../../../test/writing.ts';
import { planOf } from '../../budget/rules.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import type { SendingDeps } from './held.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('a search that fails is not an absence: nothing is created until it works', async () => {
  await bystander.create('person', {
    name: 'Known',
    emails: [{ value: 'search@example.test', primary: true }],
  });
  await bystander.fault('500', { method: 'GET', path: '/api/v2/persons/search' }, 2);
  run();
  const { writeRequestId } = await world.submit({ steps: [personStep('search@example.test')] });
  const [step] = await world.settled(writeRequestId);

  expect(step).toMatchObject({ effect: 'updated', attempts: 2 });
  expect(await bystander.list('person')).toHaveLength(1);
});

test('a burst answer makes the step wait, counts as nothing done, and has nothing searched for again', async () => {
  await bystander.fault('429', { method: 'POST', path: '/api/v2/persons' });
  run();
  const { writeRequestId } = await world.submit({ steps: [personStep('burst@example.test')] });
  const [waiting] = await world.reached(writeRequestId, 'queued', 'burst_limited');
  expect(Number(waiting?.not_before)).toBeGreaterThan(Number(waiting?.created_at));

  const [step] = await world.settled(writeRequestId);
  expect(step).toMatchObject({
    state: 'applied',
    attempts: 0,
    unknown_creates: 0,
    cost_tokens: 25,
  });
  expect(await bystander.list('person')).toHaveLength(1);
});

test('a search index that lags behind does not double a person (RF-26)', async () => {
  const slow = await startTestPipedrive({ searchLagMs: 60_000 });
  closing.push(() => slow.stop());
  world = await createWorld({ db, pipedrive: slow, log: silentLog, eventually });
  run();
  const steps = [personStep('lag@example.test'), leadStep()];
  const first = await world.submit({ steps });
  const second = await world.submit({ steps });
  const [one] = await world.settled(first.writeRequestId);
  const [two] = await world.settled(second.writeRequestId);

  expect(two).toMatchObject({ state: 'no_change', pipedrive_id: one?.pipedrive_id });
  expect(await createBystander(slow).list('person')).toHaveLength(1);
  expect(await createBystander(slow).list('lead')).toHaveLength(2);
});

test('two replicas share the work and double nothing', async () => {
  run();
  run();
  const emails = Array.from({ length: 16 }, (_, index) => `replica${index % 8}@example.test`);
  const stored = await Promise.all(
    emails.map((email) => world.submit({ steps: [personStep(email), leadStep()] })),
  );
  for (const { writeRequestId } of stored) await world.settled(writeRequestId);

  expect(await bystander.list('person')).toHaveLength(8);
  expect(await bystander.list('lead')).toHaveLength(16);
});

test('while Pipedrive cannot be reached a step waits with growing pauses, and goes on by itself', async () => {
  await world.setConnectionTo({ api_domain: NOWHERE });
  run();
  const { writeRequestId } = await world.submit({});
  const [waiting] = await world.reached(writeRequestId, 'queued', 'pipedrive_unreachable');
  expect(waiting?.attempts).toBeGreaterThan(0);

  await world.setConnectionTo({ api_domain: pipedrive.url });
  const steps = await world.settled(writeRequestId);
  expect(steps.map(({ state }) => state)).toEqual(['applied', 'applied']);
});

test('a token that is no longer accepted keeps the queue until the connection works again', async () => {
  await world.setToken('not-a-token');
  run();
  const { writeRequestId } = await world.submit({});
  await eventually(async () => expect((await world.findConnection())?.status).toBe('NEEDS_REAUTH'));
  expect((await world.stepsOf(writeRequestId))[0]).toMatchObject({ state: 'queued' });

  await world.setToken(pipedrive.apiToken);
  await world.setConnectionTo({ status: 'ACTIVE' });
  const steps = await world.settled(writeRequestId);
  expect(steps.map(({ state }) => state)).toEqual(['applied', 'applied']);
});

test('bulk work stops at its reserve of the day and says when it goes on; people do not wait', async () => {
  const plan = planOf({ plan: 'ultimate', seats: undefined, dailyTokens: 300 });
  world = await createWorld({
    db,
    pipedrive,
    log: silentLog,
    eventually,
    plan,
    companyId: 'small',
  });
  run();
  const bulk = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      world.submit({ lane: 'bulk', steps: [personStep(`bulk${index}@example.test`)] }),
    ),
  );
  const last = await eventually(
    async () => {
      const steps = await Promise.all(
        bulk.map(({ writeRequestId }) => world.stepsOf(writeRequestId)),
      );
      const waiting = steps.flat().filter(({ state }) => state === 'queued');
      expect(waiting.length).toBeGreaterThan(0);
      expect(waiting.every(({ reason }) => reason === 'budget_spent')).toBe(true);
      return waiting[0];
    },
    { timeoutMs: 10_000 },
  );
  const midnight = new Date(new Date(Date.now() + 86_400_000).toISOString().slice(0, 10));
  expect(Math.abs(Number(last?.not_before) - Number(midnight))).toBeLessThan(1_000);

  const { writeRequestId } = await world.submit({ steps: [personStep('person@example.test')] });
  const [step] = await world.settled(writeRequestId);
  expect(step?.state).toBe('applied');
});

test('somebody at a screen does not wait for a long job', async () => {
  const plan = { burst: { OAUTH: 80, API_TOKEN: 80 }, dailyTokens: null };
  world = await createWorld({ db, pipedrive, log: silentLog, eventually, plan });
  const bulk = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      world.submit({ lane: 'bulk', steps: [personStep(`job${index}@example.test`)] }),
    ),
  );
  const { writeRequestId } = await world.submit({ steps: [personStep('people@example.test')] });
  run();
  const [person] = await world.settled(writeRequestId);
  for (const job of bulk) await world.settled(job.writeRequestId);

  // asked for last, and among those the worker takes up first
  const made = (await bystander.list('person')).map(({ id }) => Number(id)).toSorted(byNumber);
  expect(made).toHaveLength(41);
  expect(made.indexOf(Number(person?.pipedrive_id))).toBeLessThan(12);
});

test('an interactive write takes the earlier bulk write of its person with it', async () => {
  const email = 'lifted@example.test';
  await world.setConnectionTo({ status: 'DISABLED' });
  const bulk = await world.submit({
    lane: 'bulk',
    steps: [personStep(email, { existing: 'leave' }), leadStep()],
  });
  await world.submit({ lane: 'interactive', steps: [personStep(email)] });

  expect((await world.stepsOf(bulk.writeRequestId))[0]?.lane).toBe('interactive');
});

// builders

const byNumber = (one: number, other: number) => one - other;

function run(change: Partial<SendingDeps> = {}) {
  closing.push(world.startWorker(change).stop);
}
