import { ConnectionId, EventId, UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { listEvents } from '../../test/looking.ts';
import { askerOf, personStep } from '../../test/write-commands.ts';
import { createWorld, type World } from '../../test/writing.ts';
import { sealSecret } from '../accounts/tokens/credential.ts';
import { deleteConnection, type RemovalDeps } from '../accounts/removal/removal.ts';
import { insertConnection, lockConnection, removeConnection } from '../accounts/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
const manager = { userId: newId('us', UserId), byAdmin: true };
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('a write in doubt ends with its connection, and does not stand in the way of the next one', async () => {
  const steps = [personStep('doubt@example.test')];
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v2/persons' });
  closing.push(world.startWorker({ settleMs: 60_000 }).stop);
  const { writeRequestId } = await world.submit({ steps });
  await world.reached(writeRequestId, 'unknown');

  await deleteConnection(removalDeps(), world.connection.id, { ...asker(), ...manager });
  const [step] = await world.settled(writeRequestId);
  expect(step).toMatchObject({ state: 'cancelled', reason: 'outcome_unknown', sealed_body: null });

  const connectionId = await connectAgain();
  const again = await world.submit({ connectionId, steps });
  const [person] = await world.settled(again.writeRequestId);
  expect(person?.state).toBe('no_change');
  expect(await bystander.list('person')).toHaveLength(1);
});

test('a write that waits ends with its connection, says why, and names who removed it', async () => {
  await world.setConnectionTo({ status: 'DISABLED' });
  const { writeRequestId } = await world.submit({});
  const remover = askerOf(world.workspaceId);
  await deleteConnection(removalDeps(), world.connection.id, { ...remover, ...manager });

  const [step] = await world.settled(writeRequestId);
  expect(step).toMatchObject({
    state: 'cancelled',
    reason: 'connection_missing',
    cause: expect.stringContaining('removed'),
    fix: expect.stringContaining('Connect'),
  });
  const { workspaceId } = world;
  const told = [
    ...(await listEvents(db, workspaceId, 'step_settled')),
    ...(await listEvents(db, workspaceId, 'write_request_settled')),
  ];
  expect(told.map(({ payload }) => payload.reason)).toEqual(Array(3).fill('connection_missing'));
  expect(told.map(({ actor }) => actor)).toEqual(Array(3).fill(remover.actor));
});

test('a write asked for while its connection is removed is refused, never left behind', async () => {
  let asked: Promise<unknown> = Promise.resolve();
  await world.scoped(async (tx) => {
    await lockConnection(tx, world.connection.id);
    await removeConnection(tx, world.connection.id);
    asked = world.submit({}).catch((error: unknown) => error);
    await Promise.race([asked, eventually(somebodyWaits)]);
  });

  expect(await asked).toMatchObject({ detail: { reason: 'connection_missing' } });
});

// builders

const asker = () => ({
  workspaceId: world.workspaceId,
  actor: { kind: 'service', id: 'test' } as const,
  correlationId: newId('ev', EventId),
});

const removalDeps = (): RemovalDeps => ({
  ...world.deps,
  apps: [],
  allowedApiDomains: [pipedrive.url],
  onCall: () => Promise.resolve(),
});

/** The same company connected anew, under another id. */
async function connectAgain(): Promise<ConnectionId> {
  const anew = {
    ...world.connection,
    id: newId('cn', ConnectionId),
    webhook_path_hash: newId('cn', ConnectionId),
  };
  const sealed = { column: 'access_token', secret: pipedrive.apiToken } as const;
  const access_token = sealSecret(world.vault, anew, sealed);
  await world.scoped((tx) => insertConnection(tx, { ...anew, access_token }));
  return anew.id;
}

const somebodyWaits = async () => {
  const { rows } = await sql`select 1 from pg_locks where not granted`.execute(ownerDb);
  expect(rows).not.toEqual([]);
};
