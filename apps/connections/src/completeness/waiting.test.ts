import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { createTracking, type Tracking } from '../../test/tracking.ts';
import { createWorld, type World } from '../../test/writing.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { cancelVerification, verifyCompleteness } from './commands.ts';
import type { Certificate } from './tables.ts';

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
  tracking = createTracking(world, { isFrozen: true, graceMs: 60_000 });
  await tracking.track([]);
  await tracking.settle();
  tracking.forward(60_000);
});
afterAll(async () => {
  await pipedrive.stop();
  await database.drop();
});

// many rounds, one after the other
vi.setConfig({ testTimeout: 60_000 });

const ask = (repairs: boolean) =>
  world.scoped((tx) =>
    verifyCompleteness(
      tx,
      { connection: world.connection, object: 'person', repairs },
      {
        asker: {
          ...{ workspaceId: world.workspaceId, correlationId: 'test' },
          actor: { kind: 'service', id: 'test' },
        },
        now: tracking.deps.now(),
      },
    ),
  );
const find = async ({ id }: Certificate) =>
  world.scoped((tx) =>
    tx
      .selectFrom('completeness_certificate')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow(),
  );

test('what is missing at the moment of asking is found, though another comparison runs', async () => {
  const running = await ask(false);
  await tracking.settle();
  expect(await find(running)).toMatchObject({ state: 'CHECKING', is_read: true });
  // the running one has passed it
  const lost = await bystander.create('person', { name: 'Lost' });
  tracking.forward(1_000);
  const askedAt = tracking.deps.now();
  const asked = await ask(false);
  expect(asked).toMatchObject({ state: 'WAITING', as_of: null });
  expect(await tracking.certificate()).toMatchObject({ id: running.id });
  for (let round = 0; round < 3; round += 1) {
    tracking.forward(60_000);
    await tracking.settle();
  }
  expect(await find(running)).toMatchObject({ state: 'CLEAN', missing: 0 });
  const answer = await find(asked);
  expect(answer).toMatchObject({ state: 'GAPS', missing: 1, first_missing_id: String(lost.id) });
  expect(answer.as_of?.getTime()).toBeGreaterThanOrEqual(askedAt.getTime());
});

test('whoever asks while one waits joins it, and has it repair', async () => {
  await ask(true);
  await tracking.settle();
  const waiting = await ask(false);
  expect(await ask(true)).toMatchObject({ id: waiting.id, state: 'WAITING', repairs: true });
});

test('one that has read nothing yet serves whoever asks meanwhile', async () => {
  const running = await ask(true);
  expect(await ask(true)).toMatchObject({ id: running.id, state: 'CHECKING' });
});

test('the one that waits begins when the running one is ended, and can be ended itself', async () => {
  const running = await ask(true);
  await tracking.settle();
  const waiting = await ask(true);
  await world.scoped((tx) => cancelVerification(tx, running.id, tracking.deps.now()));
  await tracking.settle();
  expect(await find(waiting)).toMatchObject({ state: 'CHECKING', is_read: true });
  const next = await ask(true);
  const ended = await world.scoped((tx) => cancelVerification(tx, next.id, tracking.deps.now()));
  expect(ended.state).toBe('CANCELLED');
  tracking.forward(60_000);
  await tracking.settle();
  expect(await find(waiting)).toMatchObject({ state: 'CLEAN' });
  expect(await find(next)).toMatchObject({ state: 'CANCELLED' });
});

test('one that waited without repairs repairs for whoever asks for that as it begins', async () => {
  const running = await ask(false);
  await tracking.settle();
  const waiting = await ask(false);
  expect(waiting).toMatchObject({ state: 'WAITING', repairs: false });
  await world.scoped((tx) => cancelVerification(tx, running.id, tracking.deps.now()));
  expect(await ask(true)).toMatchObject({ id: waiting.id, state: 'CHECKING', repairs: true });
});
