import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { acrossWorkspaces } from '@manifold/database';
import { normaliseRecord } from '@manifold/pipedrive';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { askerOf, personStep } from '../../../../test/write-commands.ts';
import { createWorld, SETTLE_MS, type World } from '../../../../test/writing.ts';
import { followRecordChange } from '../../../links/commands.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { redriveStep } from '../../redriving/commands.ts';
import { isOwnEcho } from '../../echoes/commands.ts';
import type { Step } from '../../store.ts';
import type { SendingDeps } from '../held.ts';
import { processStep } from '../process.ts';
import { leaseSteps } from '../leasing/store.ts';

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

test.each(['500', 'cut-before', 'cut-after'])(
  'a create that ends in %s leaves exactly one person and one lead',
  async (kind) => {
    await bystander.fault(kind, { method: 'POST', path: '/api/v2/persons' });
    await bystander.fault(kind, { method: 'POST', path: '/api/v1/leads' });
    run();
    const { writeRequestId } = await world.submit({});
    const [person, lead] = await world.settled(writeRequestId);

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
  const [waiting] = await world.reached(writeRequestId, 'unknown');
  const [step] = await world.settled(writeRequestId);

  expect(waiting).toMatchObject({ reason: 'outcome_unknown', attempts: 1 });
  expect(Number(step?.settled_at) - Number(waiting?.sent_at)).toBeGreaterThanOrEqual(SETTLE_MS);
  const calls = (await bystander.requests()).toReversed().map(({ operationId }) => operationId);
  expect(calls.slice(0, 3)).toEqual(['searchPersons', 'addPerson', 'getPersons']);
});

test('a create that again and again has no answer and no record is parked, and redriven without a double', async () => {
  await bystander.fault('cut-before', { method: 'POST', path: '/api/v2/persons' }, 4);
  run();
  const { writeRequestId } = await world.submit({ steps: [personStep('twice@example.test')] });
  const [parked] = await world.settled(writeRequestId, 'parked');
  expect(parked).toMatchObject({ state: 'parked', reason: 'outcome_unknown' });
  expect(await bystander.list('person')).toHaveLength(0);

  await redrive(parked);
  await redrive(parked);
  const [person] = await world.settled(writeRequestId);
  expect(person).toMatchObject({ state: 'applied', effect: 'created' });
  expect(await bystander.list('person')).toHaveLength(1);
});

test('a webhook that shows the record ends the wait at once', async () => {
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v2/persons' });
  run({ settleMs: 60_000 });
  const { writeRequestId } = await world.submit({ steps: [personStep('echo@example.test')] });
  await world.reached(writeRequestId, 'unknown');
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

  const told = { ...of, action: 'created' as const, record };
  expect(await world.scoped((tx) => isOwnEcho(tx, told, world.vault))).toBe(true);
  const [step] = await world.settled(writeRequestId);
  expect(step).toMatchObject({ state: 'applied', effect: 'created', pipedrive_id: record.id });
});

test('an update without an answer is carried out once more only if it has to be', async () => {
  const email = 'update@example.test';
  run();
  await world.settled((await world.submit({ steps: [personStep(email)] })).writeRequestId);
  await bystander.fault('cut-after', { method: 'PATCH' });
  const change = personStep(email, { fields: { name: 'New Name' } });
  const [step] = await world.settled((await world.submit({ steps: [change] })).writeRequestId);

  expect(step).toMatchObject({ state: 'applied', effect: 'updated', changed_keys: ['name'] });
  const patches = (await bystander.requests()).filter(({ method }) => method === 'PATCH');
  expect(patches).toHaveLength(1);
});

test.each([
  ['before it was sent', false],
  ['before the answer was written down', true],
])('a worker killed while it sends, %s, leaves one person', async (_, isCommitted) => {
  const { writeRequestId } = await world.submit({ steps: [personStep('killed@example.test')] });
  await sendAndDie(isCommitted);
  expect((await world.stepsOf(writeRequestId))[0]?.state).toBe('sending');
  run();
  const [step] = await world.settled(writeRequestId);

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

// builders

function run(change: Partial<SendingDeps> = {}) {
  closing.push(world.startWorker(change).stop);
}

const changeOf = (pipedriveId: string) => ({
  workspaceId: world.workspaceId,
  companyId: world.connection.company_id,
  object: 'person' as const,
  pipedriveId,
});

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
  const asked = {
    asker: askerOf(step.workspace_id),
    userId: 'us_1',
    stepId: step.id,
    idempotencyKey: undefined,
  };
  await redriveStep(db, asked, new Date());
};
