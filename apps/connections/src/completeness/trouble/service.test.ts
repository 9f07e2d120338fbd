import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { acrossWorkspaces } from '@manifold/database';
import type { PipedriveClient } from '@manifold/pipedrive';
import { pino } from 'pino';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createTracking, type Tracking } from '../../../test/tracking.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import { putKnown } from '../../registry/records/store.ts';
import type { Tables } from '../../store.ts';
import { beginCertificate } from '../commands.ts';
import { listNewestCertificates, setCertificate } from '../store.ts';
import { adviseOn } from './rules.ts';

const database = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const bystander = createBystander(pipedrive);
let world: World;
let tracking: Tracking;

beforeEach(async () => {
  await bystander.reset();
  await acrossWorkspaces(database.db, async (tx) => {
    await tx.deleteFrom('registry_need').execute();
    await tx.deleteFrom('record_registry').execute();
  });
  world = await createWorld({ db: database.db, pipedrive, log: silentLog, eventually });
  tracking = createTracking(world, { isFrozen: true });
});
afterAll(async () => {
  await pipedrive.stop();
  await database.drop();
});

const answer = (lists: PipedriveClient['listRecords']) => {
  const { clientFor } = tracking.deps.access;
  tracking.deps.access.clientFor = async (...asked) => ({
    ...(await clientFor(...asked)),
    listRecords: lists,
  });
  return () => {
    tracking.deps.access.clientFor = clientFor;
  };
};
const refused = { outcome: 'refused', status: 403, message: 'Scope and URL mismatch' } as const;
const asker = () => ({
  ...{ workspaceId: world.workspaceId, correlationId: 'test' },
  actor: { kind: 'service', id: 'test' } as const,
});
const begin = (repairs: boolean) =>
  world.scoped(async (tx) => {
    const registry = await tracking.registry();
    if (registry === undefined) throw new Error('nothing is tracked');
    return beginCertificate(tx, registry, { asker: asker(), repairs, now: tracking.deps.now() });
  });

test('what Pipedrive refuses for ever is shown with its cause and a way out, logged once, and forgotten when it works', async () => {
  const lines: string[] = [];
  tracking.deps.log = pino({}, { write: (line: string) => lines.push(line) });
  const restore = answer(async () => refused);
  await tracking.track([]);
  for (let n = 0; n < 4; n += 1) {
    await tracking.settle();
    tracking.forward(900_000);
  }
  const cause = 'Pipedrive answered 403: Scope and URL mismatch';
  const trouble = { reason: 'pipedrive_refused', cause } as const;
  expect(await tracking.registry()).toMatchObject(trouble);
  expect(await tracking.certificate()).toMatchObject({ state: 'CHECKING', ...trouble });
  expect(adviseOn(trouble)).toEqual({ cause, fix: expect.stringContaining('verify again') });
  expect(lines).toHaveLength(1);
  restore();
  await tracking.settle();
  expect(await tracking.registry()).toMatchObject({ reason: null, cause: null });
  expect(await tracking.certificate()).toMatchObject({ state: 'BASELINE', reason: null });
});

test('a reading that cannot come to its end is given up after some restarts, and left alone for an hour', async () => {
  let calls = 0;
  answer(async (_, { cursor } = {}) => {
    calls += 1;
    return cursor === undefined ? { outcome: 'ok', data: [], nextCursor: 'c' } : refused;
  });
  await tracking.track([]);
  for (let n = 0; n < 6; n += 1) {
    await tracking.settle();
    tracking.forward(5_000);
  }
  expect(calls).toBe(8);
  expect(await tracking.certificate()).toMatchObject({
    ...{ state: 'FAILED', restarts: 3, reason: 'pipedrive_refused' },
    cause: expect.stringContaining('403'),
  });
  const told = await world.scoped((tx) =>
    tx
      .selectFrom('outbox')
      .select('body')
      .where('name', '=', 'connections.completeness_failed.v1')
      .execute(),
  );
  expect(told).toHaveLength(1);
  expect(told[0]?.body).toMatchObject({
    payload: { object: 'person', reason: 'pipedrive_refused', costTokens: 40 },
  });
  tracking.forward(3_600_000);
  await tracking.work();
  expect(await tracking.certificate()).toMatchObject({ state: 'CHECKING', restarts: 0 });
});

test('judging goes on where it stopped, a few calls at a time', async () => {
  await tracking.track([]);
  await tracking.settle();
  const updateTime = new Date(0);
  const known = Array.from({ length: 450 }, (_, n) => String(1_000 + n)).map((pipedriveId) => ({
    ...{ pipedriveId, updateTime, revision: 1, deleted: false },
  }));
  await world.scoped((tx) => putKnown(tx, tracking.place(), known));
  await begin(false);
  await tracking.work();
  expect(await tracking.certificate()).toMatchObject({ extra: 450, judged_id: '0' });
  await tracking.work();
  expect(await tracking.certificate()).toMatchObject({
    ...{ state: 'CHECKING', judged_id: '1299', cost_tokens: 40 },
  });
  await tracking.settle();
  expect(await tracking.certificate()).toMatchObject({
    state: 'GAPS',
    extra: 450,
    cost_tokens: 60,
  });
});

test('more than one comparison follows up is counted and said, and another begins at once', async () => {
  await tracking.track([]);
  await tracking.settle();
  tracking = createTracking(world, { graceMs: 60_000 });
  await bystander.create('person', { name: 'Ada' });
  const { id } = await begin(true);
  await tracking.settle();
  expect(await tracking.certificate()).toMatchObject({ is_read: true, missing: 1 });
  // as if five had found no room
  await world.scoped((tx) => setCertificate(tx, id, { missing: 6 }));
  tracking.forward(61_000);
  await tracking.settle();
  tracking.forward(61_000);
  await tracking.settle();
  const [first] = await world.scoped((tx) =>
    tx.selectFrom('completeness_certificate').selectAll().where('id', '=', id).execute(),
  );
  expect(first).toMatchObject({ state: 'REPAIRED', missing: 6, repaired: 1, has_more: true });
  const [newest] = await world.scoped((tx) =>
    listNewestCertificates(tx, world.workspaceId, world.connection.company_id),
  );
  expect(newest).toMatchObject({ state: 'CLEAN', has_more: false });
  expect(newest?.id).not.toBe(id);
});

test('who joins a comparison and wants repairs gets them', async () => {
  await tracking.track([]);
  await tracking.settle();
  const first = await begin(false);
  expect(await begin(true)).toMatchObject({ id: first.id, repairs: true });
  expect(await begin(false)).toMatchObject({ id: first.id, repairs: true });
});
