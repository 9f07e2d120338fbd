import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { lockRequest } from '../../writes/store.ts';
import { recallInPages } from './recall.ts';
import { countReleasedChanges } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const { makePersons } = createPeople(createBystander(pipedrive));
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const worker = changing.startWorker({ leaseMs: 30_000 });

afterAll(async () => {
  await worker.stop();
  await pipedrive.stop();
  await drop();
});

test('a batch is handed over a few at a time, so that a decision waits for a few only', async () => {
  const ids = await makePersons(25);
  const id = await changing.planned(ids.map((person) => named(person, 'After')));
  const last = (await changing.changes(id)).at(-1);
  if (last === undefined) throw new Error('nothing was planned');
  await world.scoped(async (tx) => {
    // the last few cannot be handed over while somebody is at one of them
    await lockRequest(tx, last.write_request_id);
    await changing.approve(id);
    const released = () => world.scoped((other) => countReleasedChanges(other, id));
    await eventually(async () => expect(await released()).toBe(20));
  });
  await eventually(async () =>
    expect((await changing.totals(id)).states).toMatchObject({ APPLYING: 25 }),
  );
  await changing.cancel(id);
});

test('what was handed over is taken back a few at a time, and goes on when nobody stops the set', async () => {
  const ids = await makePersons(60);
  const id = await changing.planned(ids.map((person) => named(person, 'After')));
  const last = (await changing.changes(id)).at(-1);
  if (last === undefined) throw new Error('nothing was planned');
  await changing.approve(id);
  const states = async () => (await changing.totals(id)).states;
  await eventually(async () => expect(await states()).toMatchObject({ APPLYING: 60 }));
  const set = { workspace_id: world.workspaceId, id };
  let recalling = Promise.resolve();
  await world.scoped(async (tx) => {
    await lockRequest(tx, last.write_request_id);
    recalling = recallInPages(world.deps, set);
    await eventually(async () => expect(await states()).toMatchObject({ PLANNED: 50 }));
  });
  await recalling;
  expect(await states()).toMatchObject({ PLANNED: 60, APPLYING: 0 });
  expect(await changing.find(id)).toMatchObject({ state: 'applying' });

  // as if the decision had failed, and a while had passed
  await recallInPages({ db, now: () => new Date(Date.now() - 60_000) }, set);
  await eventually(async () => expect(await states()).toMatchObject({ APPLYING: 60 }));
  await changing.pause(id);
  expect(await states()).toMatchObject({ PLANNED: 60 });
  await changing.cancel(id);
});
