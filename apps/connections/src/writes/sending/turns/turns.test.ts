import { WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { cancelUnder } from '../../commands.ts';
import type { Step } from '../../store.ts';
import type { SendingDeps } from '../held.ts';
import { leaseSteps } from '../leasing/store.ts';
import { processStep } from '../process.ts';
import { changeIdleStep } from '../store.ts';
import { lineUpForRecords } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

const EMAIL = 'one@example.test';

test('an update by id waits for an earlier write to the same person by e-mail', async () => {
  const id = await linkedPerson();
  const older = await byEmail('By e-mail');
  const newer = await byId(id, 'By id');

  expect(await lease()).toMatchObject([{ write_request_id: older.writeRequestId }]);
  await finish(older.writeRequestId);
  await work();
  expect(await stateOf(newer.writeRequestId)).toBe('applied');
  expect(await names()).toEqual(['By id']);
});

test('a write by e-mail waits for an earlier update by id', async () => {
  const id = await linkedPerson();
  const older = await byId(id, 'By id');
  await byEmail('By e-mail');

  expect(await lease()).toMatchObject([{ write_request_id: older.writeRequestId }]);
});

test('who learns only by searching that both mean one person goes first, or waits', async () => {
  const id = await unlinkedPerson();
  const older = await byEmail('By e-mail');
  const newer = await byId(id, 'By id');
  const [first, second] = await lease();
  if (!first || !second) throw new Error('both may be tried: nobody knows yet');

  let duringTheCall: string | undefined;
  await processStep(
    depsWith(async () => {
      await processStep(world.deps, second);
      duringTheCall = await stateOf(newer.writeRequestId);
    }),
    first,
  );

  expect(duringTheCall).toBe('queued');
  expect(await stateOf(older.writeRequestId)).toBe('applied');
  await work();
  expect(await names()).toEqual(['By id']);
});

test('who learns it while the other one is sending waits for the end of that call', async () => {
  const id = await unlinkedPerson();
  const older = await byEmail('By e-mail');
  await byId(id, 'By id');
  const [first, second] = await lease();
  if (!first || !second) throw new Error('both may be tried: nobody knows yet');

  let duringTheCall: string | undefined;
  await processStep(
    depsWith(async () => {
      await processStep(world.deps, first);
      duringTheCall = await stateOf(older.writeRequestId);
    }),
    second,
  );

  expect(duringTheCall).toBe('queued');
  await work();
  expect(await stateOf(older.writeRequestId)).toBe('applied');
  const searches = (await bystander.requests()).filter(({ path }) => path.includes('search'));
  expect(searches).toHaveLength(1);
});

test('a write is not handed over past another one to the same person', async () => {
  const id = await linkedPerson();
  await byEmail('First');
  await byId(id, 'Second');
  await byEmail('Third');
  for (let turn = 0; turn < 3; turn += 1) await work();

  const patches = (await bystander.requests()).filter(({ method }) => method === 'PATCH');
  expect(patches).toHaveLength(3);
  expect(await names()).toEqual(['Third']);
});

test('a merge waits for an earlier write to the record that stays', async () => {
  const survivor = await linkedPerson();
  const loser = String((await bystander.create('person', { name: 'Twin' })).id);
  const older = await byEmail('By e-mail');
  await world.submit({
    steps: [
      {
        name: 'merge',
        operation: 'merge',
        object: 'person',
        identity: [{ kind: 'pipedrive_id', value: loser }],
        survivor: [{ kind: 'pipedrive_id', value: survivor }],
        fields: {},
      },
    ],
  });
  const [first, second] = await lease();
  if (!first || !second) throw new Error('the merge has its own lines');
  await processStep(world.deps, second);

  expect((await bystander.requests()).some(({ path }) => path.endsWith('/merge'))).toBe(false);
  await processStep(world.deps, first);
  expect(await stateOf(older.writeRequestId)).toBe('applied');
  await work();
  expect(await names()).toEqual(['By e-mail']);
});

test('a write that is cancelled while it lines up leaves no place behind', async () => {
  const id = await unlinkedPerson();
  const { writeRequestId: requestId } = await byEmail('Cancelled');
  const [step] = await lease();
  if (!step) throw new Error('nothing is due');
  await world.scoped(async (cancelling) => {
    await cancelUnder(cancelling, [requestId], { asker, now: new Date(), why: 'user' });
    expect(await world.scoped((tx) => lineUpForRecords(tx, step, [id]))).toBe(true);
  });

  expect(await placesOf(step)).toBe(0);
  const next = await byId(id, 'Next');
  expect(await lease()).toMatchObject([{ write_request_id: next.writeRequestId }]);
});

test('one that lines up first is cancelled with the place it took', async () => {
  const id = await unlinkedPerson();
  const { writeRequestId: requestId } = await byEmail('Cancelled');
  const [step] = await lease();
  if (!step) throw new Error('nothing is due');
  let cancelled: Promise<void> | undefined;
  await world.scoped(async (lining) => {
    expect(await lineUpForRecords(lining, step, [id])).toBe(false);
    cancelled = world.scoped((tx) =>
      cancelUnder(tx, [requestId], { asker, now: new Date(), why: 'user' }),
    );
    await eventually(async () => expect(await countWaiting()).toBe(1));
  });
  await cancelled;

  expect(await placesOf(step)).toBe(0);
});

test('a place that a step which has ended left behind holds up nobody', async () => {
  const id = await linkedPerson();
  const { writeRequestId: requestId } = await byEmail('Ended');
  const [step] = await world.stepsOf(requestId);
  if (!step) throw new Error('it has one step');
  await world.scoped((tx) => changeIdleStep(tx, step.id, { state: 'cancelled' }));
  expect(await placesOf(step)).toBeGreaterThan(0);

  const next = await byId(id, 'Next');
  await work();
  expect(await stateOf(next.writeRequestId)).toBe('applied');
});

// builders

const asker = {
  workspaceId: newId('ws', WorkspaceId),
  actor: { kind: 'user', id: 'us_1' },
  correlationId: 'test',
} as const;

const placesOf = ({ id }: Step): Promise<number> =>
  world.scoped(async (tx) => {
    const { rows } = await sql`select 1 from write_turn where step_id = ${id}`.execute(tx);
    return rows.length;
  });

/** Statements that wait for a lock. */
async function countWaiting(): Promise<number> {
  const { rows } = await sql`select pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows.length;
}

const byEmail = (name: string) =>
  world.submit({ steps: [personStep(EMAIL, { fields: { name } })] });
const byId = (id: string, name: string) =>
  world.submit({
    steps: [
      personStep(EMAIL, {
        operation: 'update',
        identity: [{ kind: 'pipedrive_id', value: id }],
        fields: { name },
      }),
    ],
  });
const names = async () => (await bystander.list('person')).map((person) => person['name']);
const stateOf = async (id: Step['write_request_id']) => (await world.stepsOf(id))[0]?.state;

async function unlinkedPerson(): Promise<string> {
  const emails = [{ value: EMAIL, primary: true }];
  return String((await bystander.create('person', { name: 'Known', emails })).id);
}

/** One of whom our own links know that the address is theirs. */
async function linkedPerson(): Promise<string> {
  const id = await unlinkedPerson();
  const { writeRequestId } = await byEmail('Known');
  await work();
  await world.settled(writeRequestId);
  return id;
}

/** The steps a worker would take now. */
function lease(): Promise<Step[]> {
  const now = new Date();
  const until = new Date(now.getTime() + 60_000);
  return acrossWorkspaces(db, (tx) =>
    leaseSteps(tx, { lanes: ['interactive'], limit: 10, owner: 'test', now, until }),
  );
}

/** Takes what may be tried, as soon as there is something, one stretch further. */
async function work(): Promise<void> {
  const steps = await eventually(async () => {
    const due = await lease();
    expect(due).not.toHaveLength(0);
    return due;
  });
  for (const step of steps) await processStep(world.deps, step);
}

async function finish(id: Step['write_request_id']): Promise<void> {
  for (const step of await world.stepsOf(id)) await processStep(world.deps, step);
}

/** Something happens while a call that changes a record is under way. */
const depsWith = (meanwhile: () => Promise<unknown>): SendingDeps => ({
  ...world.deps,
  clientFor: async (...use) => {
    const client = await world.deps.clientFor(...use);
    const updateRecord: typeof client.updateRecord = async (...args) => {
      await meanwhile();
      return client.updateRecord(...args);
    };
    return { ...client, updateRecord };
  },
});
