import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { createTracking, type Tracking } from '../../test/tracking.ts';
import { createWorld, type World } from '../../test/writing.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { releaseRegistry } from './commands.ts';
import { hashOfKey } from './entering.ts';
import { listRecordsWithKey } from './keys/store.ts';
import { putKnown } from './records/store.ts';

const database = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const bystander = createBystander(pipedrive);
let world: World;
let tracking: Tracking;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db: database.db, pipedrive, log: silentLog, eventually });
  tracking = createTracking(world, { isFrozen: true });
});
afterAll(async () => {
  await pipedrive.stop();
  await database.drop();
});

const EMAIL = 'ada@example.com';
const person = async () =>
  String((await bystander.create('person', { name: 'Ada', emails: [{ value: EMAIL }] })).id);
const track = () => tracking.track([{ kind: 'email' }]);
const untrack = () =>
  world.scoped((tx) =>
    releaseRegistry(
      tx,
      { connection: world.connection, object: 'person', feature: 'test' },
      tracking.deps.now(),
    ),
  );

test('an index that is being emptied covers nothing, so nobody takes a record for absent', async () => {
  const id = await person();
  await track();
  await tracking.settle();
  expect(await tracking.find(EMAIL)).toEqual({ outcome: 'known', pipedriveIds: [id] });
  await untrack();
  await tracking.work();
  // a part is gone
  expect(await tracking.find(EMAIL)).toEqual({ outcome: 'not_indexed' });
  await tracking.settle();
  expect(await tracking.registry()).toBeUndefined();
});

test('what is needed again while it is emptied is emptied to the end, and then read anew without ghosts', async () => {
  const id = await person();
  await track();
  await tracking.settle();
  await untrack();
  await tracking.work();
  await bystander.call('DELETE', `/api/v2/persons/${id}`);
  const twin = await person();
  await track();
  expect(await tracking.find(EMAIL)).toEqual({ outcome: 'not_indexed' });
  await tracking.settle();
  expect(await tracking.find(EMAIL)).toEqual({ outcome: 'known', pipedriveIds: [twin] });
  expect(await tracking.certificate()).toMatchObject({ state: 'BASELINE', pipedrive_count: 1 });
});

test('a page that was read before a record was deleted does not bring it back', async () => {
  const id = await person();
  await track();
  await tracking.settle();
  const keyHash = hashOfKey(world.vault, tracking.place(), { kind: 'email', value: EMAIL });
  const list = () =>
    world.scoped((tx) => listRecordsWithKey(tx, tracking.place(), { keyHash, limit: 5 }));
  const told = (deleted: boolean, at: Date) =>
    world.scoped((tx) =>
      putKnown(tx, tracking.place(), [
        { pipedriveId: id, updateTime: at, revision: at.getTime(), deleted },
      ]),
    );
  const deletedAt = new Date(Date.now() + 60_000);
  // its keys are there, as a page read before leaves them
  await told(true, deletedAt);
  expect(await list()).toEqual([]);
  await told(false, new Date(deletedAt.getTime() + 1_000));
  expect(await list()).toEqual([id]);
});
