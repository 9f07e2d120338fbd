import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { listEvents } from '../../../test/looking.ts';
import { createPeople, named } from '../../../test/people.ts';
import { askerOf } from '../../../test/write-commands.ts';
import { setSubgraph } from '../../../test/set-graph.ts';
import { createWorld } from '../../../test/writing.ts';
import { sayPlan } from '../../budget/plans/commands.ts';
import { dayOf, nextMidnight, planOf } from '../../budget/rules.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { listPaces } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({
  searchLagMs: 0,
  limits: { plan: 'ultimate', dailyHeaders: false, dailyTokens: 100_000 },
});
const { makePersons } = createPeople(createBystander(pipedrive));
// room for one look at the records and a part of the writes
const plan = planOf({ plan: 'ultimate', seats: undefined, dailyTokens: 100 });
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, plan });
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const worker = changing.startWorker({ plan, wakeSender: () => sender.wake() });
const wakes = { sender: sender.wake, worker: worker.wake };
const { graph, stop } = await startTestGraph({
  ...setSubgraph(world, wakes),
  caller: { workspaceId: world.workspaceId },
});

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await stop();
  await pipedrive.stop();
  await drop();
});

const READ = `query ($id: ID!) { changeSet(id: $id) { state reason waitsFor why fix
  progress { done ratePerSecond remainingSeconds }
  changes(first: 20, filter: { state: [APPLYING] }) { nodes { reason cause fix } } } }`;
const read = async (id: string) => {
  const { data, errors } = await graph(READ, { id });
  expect(errors).toBeUndefined();
  return data.changeSet;
};
const isStopped = ({ reason }: { reason: string | null }) => reason === 'budget_spent';
const waits = async (id: string) =>
  (await listEvents(db, world.workspaceId, 'change_set_progressed'))
    .filter(({ payload }) => payload.changeSetId === id && payload.waitsFor !== undefined)
    .map(({ payload }) => [payload.state, payload.waitsFor]);

test('a set that is stopped by the budget says so, until when, and goes on as soon as more is known of', async () => {
  const ids = await makePersons(20);
  const id = await changing.planned(ids.map((person) => named(person, 'After')));
  await changing.approve(id);
  const held = await eventually(
    async () => {
      const set = await read(id);
      expect(set.waitsFor).toBe('budget_spent');
      // nothing is on its way any more
      expect(set.progress.done + set.changes.nodes.filter(isStopped).length).toBe(ids.length);
      return set;
    },
    { timeoutMs: 30_000 },
  );
  const now = world.deps.now();
  expect(held).toMatchObject({ state: 'APPLYING', reason: null });
  expect(held.why).toContain('tokens of the day');
  expect(held.fix).toContain(`at ${dayOf(nextMidnight(now))} 00:00 UTC`);
  expect(held.fix).toContain('setApiPlan');
  expect(held.progress.done).toBeGreaterThan(0);
  expect(held.progress.done).toBeLessThan(20);
  expect(held.progress.ratePerSecond).toBeNull();
  expect(held.progress.remainingSeconds).toBeGreaterThan(0);
  const waiting = held.changes.nodes.filter(isStopped);
  expect(waiting.length).toBeGreaterThan(0);
  for (const change of waiting) {
    expect(change).toMatchObject({
      reason: 'budget_spent',
      cause: expect.stringContaining('tokens of the day'),
      fix: expect.stringContaining('setApiPlan'),
    });
  }
  expect(await waits(id)).toEqual([['APPLYING', 'budget_spent']]);

  const { workspaceId, connection } = world;
  await sayPlan(
    db,
    { connectionId: connection.id, plan: 'ultimate', seats: 1, topUpTokens: 0 },
    { ...askerOf(workspaceId), userId: connection.user_id, byAdmin: true, now: world.deps.now() },
  );
  const done = await changing.reached(id, 'done', 30_000);
  expect(done.waiting_reason).toBeNull();
  expect(await read(id)).toMatchObject({ waitsFor: null, why: null, fix: null });
}, 60_000);

test('a plan that waits for the budget goes on as soon as more is known of', async () => {
  const { workspaceId, connection } = world;
  const said = { connectionId: connection.id, seats: 1, topUpTokens: 0 };
  const by = { ...askerOf(workspaceId), userId: connection.user_id, byAdmin: true };
  // back to what is assumed, of which nothing is left
  await sayPlan(db, { ...said, plan: undefined }, { ...by, now: world.deps.now() });
  const ids = await makePersons(2);
  const id = await changing.plan(ids.map((person) => named(person, 'Later')));
  await eventually(async () =>
    expect(await read(id)).toMatchObject({ state: 'PLANNING', waitsFor: 'budget_spent' }),
  );
  expect((await read(id)).fix).toContain('00:00 UTC');

  await sayPlan(db, { ...said, plan: 'ultimate' }, { ...by, now: world.deps.now() });
  await changing.reached(id, 'awaiting_approval', 15_000);
}, 60_000);

test('of a set that paused for an hour the pace is that of its work', async () => {
  const ids = await makePersons(5);
  const id = await changing.planned(ids.map((person) => named(person, 'Paced')));
  const start = world.deps.now().getTime();
  const changes = await changing.changes(id);
  await world.scoped(async (tx) => {
    for (const [index, seconds] of [0, 1, 2, 3_602, 3_603].entries()) {
      await tx
        .updateTable('write_step')
        .set({ settled_at: new Date(start + seconds * 1_000) })
        .where('id', '=', changes[index]?.write_step_id ?? absent())
        .execute();
    }
    // the hour counts as ten seconds
    expect(await listPaces(tx, [id])).toEqual([{ change_set_id: id, changes: 4, seconds: 13 }]);
  });
}, 60_000);

const absent = (): never => {
  throw new Error('there is no change');
};
