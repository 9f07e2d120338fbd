import { connectDatabase } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { createTracking, type Tracking } from '../../test/tracking.ts';
import { createWorld, type World } from '../../test/writing.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { keyHashesOf } from '../writes/body.ts';
import { hashOfKey } from './entering.ts';

const database = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const bystander = createBystander(pipedrive);
const other = connectDatabase<Tables>(database.urls.appUrl);
let world: World;
let tracking: Tracking;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db: database.db, pipedrive, log: silentLog, eventually });
  tracking = createTracking(world, { isFrozen: true });
});
afterAll(async () => {
  await other.destroy();
  await pipedrive.stop();
  await database.drop();
});

const person = (email: string) =>
  bystander.create('person', { name: 'Ada', emails: [{ value: email, primary: true }] });
const lists = async () =>
  (await bystander.requests()).filter(({ operationId }) => operationId === 'getPersons').length;
const generate = (persons: number) =>
  fetch(`${pipedrive.controlUrl}/generate`, {
    method: 'POST',
    body: JSON.stringify({ persons, seed: 'look-up' }),
  });

test('what no feature needs is not indexed, and neither is a key nobody asked for', async () => {
  expect(await tracking.find('ada@example.com')).toEqual({ outcome: 'not_indexed' });
  await tracking.track([{ kind: 'phone' }]);
  await tracking.settle();
  expect(await tracking.find('ada@example.com')).toEqual({ outcome: 'not_indexed' });
  expect(await lists()).toBeGreaterThan(0);
});

test('every record with a key is found once all have been read, whatever the spelling', async () => {
  const { id } = await person('Ada@Example.com ');
  const twin = await person('ada@example.com');
  await tracking.track([{ kind: 'email' }]);
  expect(await tracking.find('ada@example.com')).toEqual({ outcome: 'not_indexed' });
  await tracking.settle();
  const pipedriveIds = [String(id), String(twin.id)];
  expect(await tracking.find('ADA@example.com')).toEqual({ outcome: 'known', pipedriveIds });
  expect(await tracking.find('bob@example.com')).toEqual({ outcome: 'known', pipedriveIds: [] });
});

test('a hundred callers share one read, over replicas too, and within five seconds nobody reads again', async () => {
  await person('ada@example.com');
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  tracking.forward(60_000);
  const { id } = await person('bob@example.com');
  const before = await lists();
  const found = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      tracking.find('bob@example.com', n % 2 === 0 ? database.db : other),
    ),
  );
  const known = { outcome: 'known', pipedriveIds: [String(id)] };
  expect(found).toEqual(Array.from({ length: 100 }, () => known));
  expect((await lists()) - before).toBe(1);
  tracking.forward(4_000);
  await tracking.find('bob@example.com');
  expect((await lists()) - before).toBe(1);
  tracking.forward(1_500);
  await tracking.find('bob@example.com', other);
  expect((await lists()) - before).toBe(2);
});

test('an address that was taken from a record no longer leads to it', async () => {
  const { id } = await person('ada@example.com');
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  await bystander.call('PATCH', `/api/v2/persons/${id}`, {
    emails: [{ value: 'countess@example.com', primary: true }],
  });
  tracking.forward(10_000);
  const none = { outcome: 'known', pipedriveIds: [] };
  expect(await tracking.find('ada@example.com')).toEqual(none);
  expect(await tracking.find('countess@example.com')).toMatchObject({ pipedriveIds: [String(id)] });
});

test('the first reading goes on where it stopped, and is paid for once (OR-38)', async () => {
  await generate(1_700);
  await tracking.track([{ kind: 'email' }]);
  await tracking.work();
  await tracking.work();
  await tracking.work();
  const half = await tracking.certificate();
  expect(half).toMatchObject({ state: 'CHECKING', pipedrive_count: 1_000 });
  // another process takes over
  const successor = createTracking(world, { isFrozen: true });
  successor.forward(1_000);
  await successor.settle();
  expect(await successor.certificate()).toMatchObject({
    state: 'BASELINE',
    pipedrive_count: 1_700,
    cost_tokens: 40,
  });
  // 4 pages, and the sweep after it
  expect(await lists()).toBe(5);
});

test('a failed read is a failure, never an absence', async () => {
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  tracking.forward(10_000);
  await bystander.fault('500', { method: 'GET', path: '/api/v2/persons' });
  expect(await tracking.find('ada@example.com')).toMatchObject({ outcome: 'failed' });
  expect(await tracking.find('ada@example.com')).toMatchObject({ outcome: 'known' });
});

test('another key is searched for from the start, while the first keeps its index', async () => {
  const { id } = await bystander.create('person', {
    name: 'Ada',
    emails: [{ value: 'ada@example.com' }],
    phones: [{ value: '+43 1 234' }],
  });
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  await tracking.track([{ kind: 'phone' }], 'person', 'other');
  expect((await tracking.registry())?.keys).toEqual(['email']);
  expect(await tracking.find('ada@example.com')).toMatchObject({ pipedriveIds: [String(id)] });
  await tracking.settle();
  expect((await tracking.registry())?.keys).toEqual(['email', 'phone']);
});

test('keys are kept as the hashes steps have, and no value is (SL-89, SL-91, SL-92)', async () => {
  await person('ada.canary@example.com');
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  const key = { kind: 'email', value: 'ada.canary@example.com' } as const;
  const request = {
    workspace_id: world.workspaceId,
    cause_service: 'x',
    cause_type: 'x',
    cause_id: 'x',
  };
  const step = { object: 'person', name: 'x', operation: 'upsert', identity: [key] } as const;
  const [hash] = keyHashesOf(world.vault, request, step);
  expect(hashOfKey(world.vault, tracking.place(), key)).toBe(hash);
  const kept = await world.scoped(async (tx) => [
    await tx.selectFrom('indexed_key').selectAll().execute(),
    await tx.selectFrom('known_record').selectAll().execute(),
  ]);
  expect(JSON.stringify(kept)).toContain(hash);
  expect(JSON.stringify(kept)).not.toMatch(/canary|Ada/i);
});
