import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { createBystander } from '../../test/bystander.ts';
import { createChanging } from '../../test/changing.ts';
import { createPeople, named } from '../../test/people.ts';
import { personStep } from '../../test/write-commands.ts';
import { createWorld } from '../../test/writing.ts';
import { leaseChangeSet } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons, namesOf } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('a set whose worker and sender die in the middle is done by others, nothing twice', async () => {
  const ids = await makePersons(250);
  const fresh = Array.from({ length: 20 }, (_, index) => [personStep(`new${index}@example.test`)]);
  const rows = [...ids.map((person) => named(person, 'After')), ...fresh];
  const id = await changing.plan(rows);
  // a process that took the set and died
  const now = new Date();
  const until = new Date(now.getTime() + 300);
  await acrossWorkspaces(db, (tx) => leaseChangeSet(tx, { owner: 'dead', now, until }));

  const first = changing.startWorker();
  await changing.reached(id, 'awaiting_approval', 60_000);
  const sender = world.startWorker();
  await changing.approve(id);
  await eventually(
    async () => expect((await changing.totals(id)).states.APPLIED).toBeGreaterThan(10),
    { timeoutMs: 30_000 },
  );
  await Promise.all([first.stop(), sender.stop()]);
  const before = (await changing.totals(id)).states;
  expect(before.APPLIED).toBeLessThan(270);

  const [one, two] = [changing.startWorker(), changing.startWorker()];
  const senders = [world.startWorker(), world.startWorker()];
  await changing.reached(id, 'done', 60_000);
  await Promise.all([one, two, ...senders].map((worker) => worker.stop()));

  expect((await changing.totals(id)).states).toMatchObject({ APPLIED: 270 });
  expect((await namesOf(ids)).every((name) => name === 'After')).toBe(true);
  const requests = await bystander.requests();
  const count = (method: string) =>
    requests.filter((request) => request.method === method && request.path.includes('/persons'))
      .length;
  expect(count('PATCH')).toBe(250);
  // those of the preparation, and one for each new person
  expect(count('POST')).toBe(250 + 20);
}, 180_000);

test('calls whose end nobody heard are looked up, and end applied once', async () => {
  const ids = await makePersons(4);
  const sender = world.startWorker();
  const worker = changing.startWorker({ wakeSender: sender.wake });
  const id = await changing.planned(ids.map((person) => named(person, 'After')));
  await bystander.fault('cut-after', { method: 'PATCH', path: '/persons' }, 1);
  await bystander.fault('cut-before', { method: 'PATCH', path: '/persons' }, 1);
  await changing.applied(id);
  await Promise.all([worker.stop(), sender.stop()]);

  expect((await changing.totals(id)).states).toMatchObject({ APPLIED: 4 });
  expect(await namesOf(ids)).toEqual(['After', 'After', 'After', 'After']);
}, 60_000);
