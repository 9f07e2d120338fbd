import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { lockRequest } from '../../writes/store.ts';
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
