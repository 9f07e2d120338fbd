import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { createTracking } from '../../test/tracking.ts';
import { createWorld } from '../../test/writing.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { catchUp } from './catch-up.ts';
import { releaseReading, setRegistry, takeReading } from './store.ts';

const database = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const bystander = createBystander(pipedrive);
const world = await createWorld({ db: database.db, pipedrive, log: silentLog, eventually });
const tracking = createTracking(world, { isFrozen: true });
afterAll(async () => {
  await pipedrive.stop();
  await database.drop();
});

const lists = async () =>
  (await bystander.requests()).filter(({ operationId }) => operationId === 'getPersons').length;

test('who joins a wait that ends with a read of another that is too old for them reads again', async () => {
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  tracking.forward(60_000);
  const now = tracking.deps.now();
  const place = tracking.place();
  const ago = (ms: number) => new Date(now.getTime() - ms);
  await world.scoped((tx) => takeReading(tx, place, { reader: 'other', seconds: 30 }));
  const before = await lists();
  const client = () =>
    world.deps.clientFor(world.workspaceId, world.connection.id, {
      lane: 'event',
      feature: 'writes',
    });
  const both = [ago(5_000), now].map((needed) => catchUp(tracking.deps, { place, needed }, client));
  await world.scoped(async (tx) => {
    await setRegistry(tx, place, { read_began_at: ago(3_000) });
    await releaseReading(tx, place, 'nobody');
    await releaseReading(tx, place, 'other');
  });
  expect(await Promise.all(both)).toEqual([undefined, undefined]);
  expect((await lists()) - before).toBe(1);
  expect((await tracking.registry())?.read_began_at).toEqual(now);
});
