import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { createTracking, type Tracking } from '../../test/tracking.ts';
import { createWorld, type World } from '../../test/writing.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const database = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const bystander = createBystander(pipedrive);
let world: World;
let tracking: Tracking;

beforeEach(async () => {
  await bystander.reset();
  // what other tests track is not this one's work
  await acrossWorkspaces(database.db, async (tx) => {
    await tx.deleteFrom('registry_need').execute();
    await tx.deleteFrom('record_registry').execute();
  });
  world = await createWorld({ db: database.db, pipedrive, log: silentLog, eventually });
  tracking = createTracking(world);
});
afterAll(async () => {
  await pipedrive.stop();
  await database.drop();
});

const person = async (name: string) => String((await bystander.create('person', { name })).id);
const rename = (id: string, name: string) =>
  bystander.call('PATCH', `/api/v2/persons/${id}`, { name });
const remove = (id: string) => bystander.call('DELETE', `/api/v2/persons/${id}`);
const later = () => tracking.forward(2_000);

/** A world of three persons that everybody was told of. No webhook ever comes. */
async function baseline(): Promise<[string, string, string]> {
  const ids = [await person('Ada'), await person('Bob'), await person('Cy')] as const;
  await tracking.track([]);
  await tracking.settle();
  later();
  return [...ids];
}

/** Pipedrive knows whole seconds: two changes in one second cannot be told apart by their time. */
function nextSecond(): Promise<void> {
  const second = Math.floor(Date.now() / 1_000);
  return eventually(() => expect(Math.floor(Date.now() / 1_000)).toBeGreaterThan(second));
}

test('the first reading is a baseline: nobody is told of what was there before', async () => {
  await baseline();
  expect(await tracking.certificate()).toMatchObject({
    state: 'BASELINE',
    pipedrive_count: 3,
    known_count: 3,
    cost_tokens: 10,
  });
  expect(await tracking.events()).toEqual([]);
});

test('a certificate is clean when nothing is amiss, and two clean ones of the same records agree', async () => {
  await baseline();
  const hashes = [];
  for (const _ of [1, 2]) {
    await tracking.verify();
    const certificate = await tracking.certificate();
    expect(certificate).toMatchObject({ state: 'CLEAN', missing: 0, stale: 0, extra: 0 });
    expect(certificate?.known_hash).toBe(certificate?.pipedrive_hash);
    hashes.push(certificate?.known_hash);
  }
  expect(hashes[0]).toBe(hashes[1]);
});

test('a certificate names what is missing, stale and gone, and tells nobody when told not to', async () => {
  const [ada, bob] = await baseline();
  await nextSecond();
  const dora = await person('Dora');
  await person('Eve');
  await rename(ada, 'Ada L.');
  await remove(bob);
  await tracking.verify({ repairs: false });
  expect(await tracking.certificate()).toMatchObject({
    state: 'GAPS',
    pipedrive_count: 4,
    known_count: 3,
    missing: 2,
    first_missing_id: dora,
    stale: 1,
    first_stale_id: ada,
    extra: 1,
    first_extra_id: bob,
  });
  const taken = await tracking.certificate();
  expect(taken?.known_hash).not.toBe(taken?.pipedrive_hash);
  expect(await tracking.events()).toEqual([]);
});

test('what a certificate found is told as a webhook would have told it, and the next one is clean', async () => {
  const [ada, bob] = await baseline();
  await nextSecond();
  const dora = await person('Dora');
  await rename(ada, 'Ada L.');
  await remove(bob);
  await tracking.verify();
  expect(await tracking.certificate()).toMatchObject({ state: 'REPAIRED', repaired: 3 });
  const told = await tracking.events();
  expect(told).toEqual([
    expect.objectContaining({ pipedriveId: ada, action: 'updated', origin: 'pipedrive' }),
    expect.objectContaining({ pipedriveId: dora, action: 'created' }),
    expect.objectContaining({ pipedriveId: bob, action: 'deleted' }),
  ]);
  await tracking.verify();
  expect(await tracking.certificate()).toMatchObject({ state: 'CLEAN', pipedrive_count: 3 });
  expect(await tracking.events()).toHaveLength(told.length);
});

test('a sweep tells of what no webhook told of, once, and leaves young changes to their webhooks', async () => {
  const [ada] = await baseline();
  await nextSecond();
  await rename(ada, 'Ada L.');
  const patient = createTracking(world, { graceMs: 60_000 });
  await patient.sweep();
  expect(await tracking.events()).toEqual([]);
  patient.forward(120_000);
  await patient.sweep();
  await patient.sweep();
  expect(await tracking.events()).toEqual([
    expect.objectContaining({ pipedriveId: ada, action: 'updated', changedKeys: [] }),
  ]);
  await tracking.verify();
  expect(await tracking.certificate()).toMatchObject({ state: 'CLEAN' });
});

test('what left the sight of a user who is no administrator is not told as deleted', async () => {
  await world.setConnectionTo({ is_admin: false });
  const [, bob] = await baseline();
  await remove(bob);
  const { clientFor } = tracking.deps.access;
  tracking.deps.access.clientFor = async (...asked) => ({
    ...(await clientFor(...asked)),
    getRecord: async () => ({ outcome: 'refused', status: 404, message: 'not found' }),
  });
  await tracking.verify();
  expect(await tracking.certificate()).toMatchObject({ state: 'REPAIRED', extra: 1, hidden: 1 });
  expect(await tracking.events()).toEqual([]);
  await tracking.verify();
  expect(await tracking.certificate()).toMatchObject({ state: 'CLEAN', pipedrive_count: 2 });
});

test('a comparison waits for the budget as long as it has to, and then goes on (OR-38)', async () => {
  await baseline();
  const { clientFor } = tracking.deps.access;
  tracking.deps.access.clientFor = async (...asked) => ({
    ...(await clientFor(...asked)),
    listRecords: async () => ({ outcome: 'limited', kind: 'daily', retryAfterMs: 900_000 }),
  });
  await tracking.verify();
  tracking.deps.access.clientFor = clientFor;
  tracking.forward(890_000);
  await tracking.settle();
  expect(await tracking.certificate()).toMatchObject({ state: 'CHECKING' });
  tracking.forward(20_000);
  await tracking.settle();
  expect(await tracking.certificate()).toMatchObject({ state: 'CLEAN' });
});

test('nothing is read while the connection is switched off, and everything after (SL-15)', async () => {
  const [ada] = await baseline();
  await nextSecond();
  await rename(ada, 'Ada L.');
  await world.setConnectionTo({ status: 'DISABLED' });
  const before = (await bystander.requests()).length;
  await tracking.sweep();
  expect((await bystander.requests()).length).toBe(before);
  await world.setConnectionTo({ status: 'ACTIVE' });
  tracking.forward(61_000);
  await tracking.settle();
  expect(await tracking.events()).toMatchObject([{ pipedriveId: ada }]);
});

test('what nobody needs any more is forgotten', async () => {
  await baseline();
  await world.scoped((tx) => tx.deleteFrom('registry_need').execute());
  tracking.forward(3_700_000);
  await tracking.settle();
  expect(await tracking.registry()).toBeUndefined();
  expect(await tracking.certificate()).toBeUndefined();
  const left = await world.scoped((tx) => tx.selectFrom('known_record').selectAll().execute());
  expect(left).toEqual([]);
});
