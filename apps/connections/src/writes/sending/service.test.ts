import type { WriteRequestId } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { normaliseRecord } from '@manifold/pipedrive';
import { captureLog, createTestDatabase, eventually, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { sealSecret } from '../../accounts/credential.ts';
import { setConnection } from '../../accounts/store.ts';
import { planOf } from '../../budget/rules.ts';
import { followRecordChange } from '../../links/commands.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { redriveStep } from '../commands.ts';
import { findRequest, isOwnEcho, type Step } from '../store.ts';
import {
  createBystander,
  createWorld,
  leadStep,
  personStep,
  SETTLE_MS,
  type World,
} from '../test-world.ts';
import type { SendingDeps } from './held.ts';
import { processStep } from './process.ts';
import { leaseSteps } from './store.ts';
import { startWriteWorker } from './worker.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { log } = captureLog();
const closing: (() => Promise<void>)[] = [];
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test.each(['500', 'cut-before', 'cut-after'])(
  'a create that ends in %s leaves exactly one person and one lead',
  async (kind) => {
    await bystander.fault(kind, { method: 'POST', path: '/api/v2/persons' });
    await bystander.fault(kind, { method: 'POST', path: '/api/v1/leads' });
    run();
    const { writeRequestId } = await world.submit({});
    const [person, lead] = await settled(writeRequestId);

    expect(person).toMatchObject({ state: 'applied', effect: 'created' });
    expect(lead).toMatchObject({ state: 'applied', effect: 'created' });
    expect(await bystander.list('person')).toHaveLength(1);
    expect(await bystander.list('lead')).toHaveLength(1);
  },
);

test('a create without an answer is left alone for the settle time and never looked for by search', async () => {
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v2/persons' });
  run();
  const { writeRequestId } = await world.submit({ steps: [personStep('settle@example.test')] });
  const [waiting] = await reached(writeRequestId, 'unknown');
  const [step] = await settled(writeRequestId);

  expect(waiting?.reason).toBe('outcome_unknown');
  expect(Number(step?.settled_at) - Number(waiting?.sent_at)).toBeGreaterThanOrEqual(SETTLE_MS);
  const calls = (await bystander.requests()).toReversed().map(({ operationId }) => operationId);
  expect(calls.slice(0, 3)).toEqual(['searchPersons', 'addPerson', 'getPersons']);
});

test('a create that twice has no answer and no record is parked, and redriven without a double', async () => {
  await bystander.fault('cut-before', { method: 'POST', path: '/api/v2/persons' }, 2);
  run();
  const { writeRequestId } = await world.submit({ steps: [personStep('twice@example.test')] });
  const [parked] = await settled(writeRequestId, 'parked');
  expect(parked).toMatchObject({ state: 'parked', reason: 'outcome_unknown' });
  expect(await bystander.list('person')).toHaveLength(0);

  await redrive(parked);
  await redrive(parked);
  const [person] = await settled(writeRequestId);
  expect(person).toMatchObject({ state: 'applied', effect: 'created' });
  expect(await bystander.list('person')).toHaveLength(1);
});

test('a webhook that shows the record ends the wait at once', async () => {
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v2/persons' });
  run({ settleMs: 60_000 });
  const { writeRequestId } = await world.submit({ steps: [personStep('echo@example.test')] });
  await reached(writeRequestId, 'unknown');
  const [made] = await bystander.list('person');
  const record = normaliseRecord('person', made);
  const of = changeOf(record.id);
  await world.scoped((tx) =>
    followRecordChange(
      tx,
      { ...of, action: 'created', record },
      { vault: world.vault, now: new Date() },
    ),
  );

  const { updateTime } = record;
  expect(await world.scoped((tx) => isOwnEcho(tx, { ...of, updateTime }))).toBe(true);
  const [step] = await settled(writeRequestId);
  expect(step).toMatchObject({ state: 'applied', effect: 'created', pipedrive_id: record.id });
});

test('a change by somebody else is not taken for a write of ours', async () => {
  run();
  const { writeRequestId } = await world.submit({ steps: [personStep('own@example.test')] });
  const [step] = await settled(writeRequestId);
  const of = changeOf(step?.pipedrive_id ?? '');
  const isOurs = (updateTime: string | null) =>
    world.scoped((tx) => isOwnEcho(tx, { ...of, updateTime }));

  expect(await isOurs(step?.record_update_time ?? null)).toBe(true);
  expect(await isOurs('2020-01-01T00:00:00Z')).toBe(false);
});

test('an update without an answer is carried out once more only if it has to be', async () => {
  const email = 'update@example.test';
  run();
  await settled((await world.submit({ steps: [personStep(email)] })).writeRequestId);
  await bystander.fault('cut-after', { method: 'PATCH' });
  const change = personStep(email, { fields: { name: 'New Name' } });
  const [step] = await settled((await world.submit({ steps: [change] })).writeRequestId);

  expect(step).toMatchObject({ state: 'applied', effect: 'updated', changed_keys: ['name'] });
  const patches = (await bystander.requests()).filter(({ method }) => method === 'PATCH');
  expect(patches).toHaveLength(1);
});

test('a search that fails is not an absence: nothing is created until it works', async () => {
  await bystander.create('person', {
    name: 'Known',
    emails: [{ value: 'search@example.test', primary: true }],
  });
  await bystander.fault('500', { method: 'GET', path: '/api/v2/persons/search' }, 2);
  run();
  const { writeRequestId } = await world.submit({ steps: [personStep('search@example.test')] });
  const [step] = await settled(writeRequestId);

  expect(step).toMatchObject({ effect: 'updated', attempts: 2 });
  expect(await bystander.list('person')).toHaveLength(1);
});

test('a burst answer makes the step wait and counts as nothing done', async () => {
  await bystander.fault('429', { method: 'POST', path: '/api/v2/persons' });
  run();
  const { writeRequestId } = await world.submit({ steps: [personStep('burst@example.test')] });
  const [waiting] = await reached(writeRequestId, 'queued', 'burst_limited');
  expect(Number(waiting?.not_before)).toBeGreaterThan(Date.now());

  const [step] = await settled(writeRequestId);
  expect(step).toMatchObject({
    state: 'applied',
    attempts: 0,
    unknown_creates: 0,
    cost_tokens: 45,
  });
  expect(await bystander.list('person')).toHaveLength(1);
});

test('a search index that lags behind does not double a person (RF-26)', async () => {
  const slow = await startTestPipedrive({ searchLagMs: 60_000 });
  closing.push(() => slow.stop());
  world = await createWorld({ db, pipedrive: slow, log });
  run();
  const steps = [personStep('lag@example.test'), leadStep()];
  const first = await world.submit({ steps });
  const second = await world.submit({ steps });
  const [one] = await settled(first.writeRequestId);
  const [two] = await settled(second.writeRequestId);

  expect(two).toMatchObject({ state: 'no_change', pipedrive_id: one?.pipedrive_id });
  expect(await createBystander(slow).list('person')).toHaveLength(1);
  expect(await createBystander(slow).list('lead')).toHaveLength(2);
});

test.each([
  ['before it was sent', false],
  ['before the answer was written down', true],
])('a worker killed while it sends, %s, leaves one person', async (_, isCommitted) => {
  const { writeRequestId } = await world.submit({ steps: [personStep('killed@example.test')] });
  await sendAndDie(isCommitted);
  expect((await world.stepsOf(writeRequestId))[0]?.state).toBe('sending');
  run();
  const [step] = await settled(writeRequestId);

  expect(step).toMatchObject({ state: 'applied', effect: 'created' });
  expect(await bystander.list('person')).toHaveLength(1);
});

test('a step that was taken over cannot be written back by whoever had it before', async () => {
  const { writeRequestId } = await world.submit({ steps: [personStep('fence@example.test')] });
  const [mine] = await lease(0);
  const [theirs] = await lease(60_000);
  if (!mine || !theirs) throw new Error('not leased twice');
  await processStep(world.deps, mine);

  expect(await bystander.list('person')).toHaveLength(0);
  expect((await world.stepsOf(writeRequestId))[0]).toMatchObject({
    state: 'queued',
    fence: theirs.fence,
  });
});

test('two replicas share the work and double nothing', async () => {
  run();
  run();
  const emails = Array.from({ length: 16 }, (_, index) => `replica${index % 8}@example.test`);
  const stored = await Promise.all(
    emails.map((email) => world.submit({ steps: [personStep(email), leadStep()] })),
  );
  for (const { writeRequestId } of stored) await settled(writeRequestId);

  expect(await bystander.list('person')).toHaveLength(8);
  expect(await bystander.list('lead')).toHaveLength(16);
});

test('while Pipedrive cannot be reached a step waits with growing pauses, and goes on by itself', async () => {
  await world.scoped((tx) => setConnection(tx, world.connection.id, { api_domain: NOWHERE }));
  run();
  const { writeRequestId } = await world.submit({});
  const [waiting] = await reached(writeRequestId, 'queued', 'pipedrive_unreachable');
  expect(waiting?.attempts).toBeGreaterThan(0);

  await world.scoped((tx) => setConnection(tx, world.connection.id, { api_domain: pipedrive.url }));
  const steps = await settled(writeRequestId);
  expect(steps.map(({ state }) => state)).toEqual(['applied', 'applied']);
});

test('a token that is no longer accepted keeps the queue until the connection works again', async () => {
  await setToken('not-a-token');
  run();
  const { writeRequestId } = await world.submit({});
  await eventually(async () => expect((await world.findConnection())?.status).toBe('NEEDS_REAUTH'));
  expect((await world.stepsOf(writeRequestId))[0]).toMatchObject({ state: 'queued' });

  await setToken(pipedrive.apiToken);
  await world.setStatus('ACTIVE');
  const steps = await settled(writeRequestId);
  expect(steps.map(({ state }) => state)).toEqual(['applied', 'applied']);
});

test('bulk work stops at its reserve of the day and says when it goes on; people do not wait', async () => {
  const plan = planOf({ plan: 'ultimate', seats: undefined, dailyTokens: 300 });
  world = await createWorld({ db, pipedrive, log, plan, companyId: 'small' });
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
  const [step] = await settled(writeRequestId);
  expect(step?.state).toBe('applied');
});

test('somebody at a screen does not wait for a long job', async () => {
  const plan = { burst: { OAUTH: 80, API_TOKEN: 80 }, dailyTokens: null };
  world = await createWorld({ db, pipedrive, log, plan });
  run();
  for (let index = 0; index < 40; index += 1) {
    await world.submit({ lane: 'bulk', steps: [personStep(`job${index}@example.test`)] });
  }
  const submittedAt = performance.now();
  const { writeRequestId } = await world.submit({});
  await settled(writeRequestId);

  expect(performance.now() - submittedAt).toBeLessThan(1_000);
});

test('an interactive write takes the earlier bulk write of its person with it', async () => {
  const email = 'lifted@example.test';
  await world.setStatus('DISABLED');
  const bulk = await world.submit({
    lane: 'bulk',
    steps: [personStep(email, { existing: 'leave' }), leadStep()],
  });
  await world.submit({ lane: 'interactive', steps: [personStep(email)] });

  expect((await world.stepsOf(bulk.writeRequestId))[0]?.lane).toBe('interactive');
});

test('links follow a merge to the survivor and forget a deleted record', async () => {
  const email = 'merge@example.test';
  run();
  const [loser] = await settled(
    (await world.submit({ steps: [personStep(email)] })).writeRequestId,
  );
  const survivor = await bystander.create('person', { name: 'Survivor', emails: [] });
  const record = normaliseRecord('person', { id: loser?.pipedrive_id });
  const change = { ...changeOf(loser?.pipedrive_id ?? ''), record };
  const follow = (action: 'merged' | 'deleted', pipedriveId: string) =>
    world.scoped((tx) =>
      followRecordChange(
        tx,
        { ...change, action, pipedriveId, mergedIntoPipedriveId: String(survivor.id) },
        { vault: world.vault, now: new Date() },
      ),
    );

  await follow('merged', change.pipedriveId);
  const [after] = await settled(
    (await world.submit({ steps: [personStep(email)] })).writeRequestId,
  );
  expect(after?.pipedrive_id).toBe(String(survivor.id));

  await bystander.call('DELETE', `/api/v2/persons/${survivor.id}`);
  await bystander.call('DELETE', `/api/v2/persons/${loser?.pipedrive_id}`);
  await follow('deleted', String(survivor.id));
  const [anew] = await settled((await world.submit({ steps: [personStep(email)] })).writeRequestId);
  expect(anew).toMatchObject({ effect: 'created' });
});

// builders

const NOWHERE = 'http://127.0.0.1:9';

function run(change: Partial<SendingDeps> = {}) {
  const worker = startWriteWorker({ ...world.deps, leaseMs: 400, ...change });
  closing.push(worker.stop);
}

const changeOf = (pipedriveId: string) => ({
  workspaceId: world.workspaceId,
  companyId: world.connection.company_id,
  object: 'person' as const,
  pipedriveId,
});

const setToken = (secret: string) =>
  world.scoped((tx) =>
    setConnection(tx, world.connection.id, {
      access_token: sealSecret(world.vault, world.connection, { column: 'access_token', secret }),
    }),
  );

const lease = (ms: number): Promise<Step[]> => {
  const now = new Date();
  const until = new Date(now.getTime() + ms);
  return acrossWorkspaces(db, (tx) =>
    leaseSteps(tx, { lanes: ['interactive'], limit: 5, owner: 'test', now, until }),
  );
};

/** A process that leases a step, sends it or is about to, and is never heard of again. */
async function sendAndDie(isCommitted: boolean) {
  const [step] = await lease(300);
  if (!step) throw new Error('nothing to lease');
  await new Promise<void>((resolve) => {
    const clientFor: SendingDeps['clientFor'] = async (...use) => {
      const client = await world.deps.clientFor(...use);
      return {
        ...client,
        createRecord: async (...create) => {
          if (isCommitted) await client.createRecord(...create);
          resolve();
          return new Promise(() => undefined);
        },
      };
    };
    void processStep({ ...world.deps, clientFor }, step);
  });
}

const redrive = async (step: Step | undefined) => {
  if (!step) throw new Error('no step');
  const { workspace_id: workspaceId, id: stepId } = step;
  await redriveStep(db, { workspaceId, stepId, idempotencyKey: undefined }, new Date());
};

/** The steps of a request once it has come to rest. */
const settled = (id: WriteRequestId, state?: string) =>
  eventually(
    async () => {
      const request = await world.scoped((tx) => findRequest(tx, id));
      expect(request?.state).not.toBe('pending');
      if (state === undefined) expect(request?.state).not.toBe('parked');
      else expect(request?.state).toBe(state);
      return world.stepsOf(id);
    },
    { timeoutMs: 10_000 },
  );

/** The steps of a request as soon as the first is in a state. */
const reached = (id: WriteRequestId, state: string, reason?: string) =>
  eventually(async () => {
    const steps = await world.stepsOf(id);
    expect(steps[0]?.state).toBe(state);
    if (reason !== undefined) expect(steps[0]?.reason).toBe(reason);
    return steps;
  });
