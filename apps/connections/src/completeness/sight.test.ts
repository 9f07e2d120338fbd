import { ConnectionId, UserId } from '@manifold/contracts';
import { acrossWorkspaces, newId } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { createTracking, type Tracking } from '../../test/tracking.ts';
import { createWorld, type World } from '../../test/writing.ts';
import { insertConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import { migrations } from '../migrations/index.ts';
import { requireRegistry } from '../registry/commands.ts';
import type { Tables } from '../store.ts';

const database = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const bystander = createBystander(pipedrive);
let world: World;
let tracking: Tracking;
let personal: Connection;

beforeEach(async () => {
  await bystander.reset();
  await acrossWorkspaces(database.db, async (tx) => {
    await tx.deleteFrom('registry_need').execute();
    await tx.deleteFrom('record_registry').execute();
  });
  world = await createWorld({ db: database.db, pipedrive, log: silentLog, eventually });
  tracking = createTracking(world, { isFrozen: true });
  await world.setConnectionTo({ is_admin: true });
  personal = {
    ...world.connection,
    id: newId('cn', ConnectionId),
    kind: 'PERSONAL',
    user_id: newId('us', UserId),
    pipedrive_user_id: '77',
    is_admin: false,
    webhook_path_hash: newId('cn', ConnectionId),
  };
});
afterAll(async () => {
  await pipedrive.stop();
  await database.drop();
});

const EMAIL = 'ada@example.com';
/** The personal connection needs the index too; it reads through the other's token, and sees one person less. */
async function addPersonal(unseen: string): Promise<void> {
  await world.scoped((tx) => insertConnection(tx, personal));
  const { clientFor } = tracking.deps.access;
  tracking.deps.access.clientFor = async (workspaceId, id, use) => {
    const client = await clientFor(workspaceId, world.connection.id, use);
    if (id !== personal.id) return client;
    return {
      ...client,
      listRecords: async (...asked) => {
        const listed = await client.listRecords(...asked);
        if (listed.outcome !== 'ok') return listed;
        return { ...listed, data: listed.data.filter((record) => record.id !== unseen) };
      },
      getRecord: async () => ({ outcome: 'refused', status: 404, message: 'not found' }),
    };
  };
  const wanted = { object: 'person', keys: [{ kind: 'email' }], feature: 'personal' } as const;
  await world.scoped((tx) =>
    requireRegistry(
      tx,
      { ...wanted, connection: personal },
      { ...tracking.deps, now: tracking.deps.now() },
    ),
  );
}
const keys = () => world.scoped((tx) => tx.selectFrom('indexed_key').selectAll().execute());
const known = () => world.scoped((tx) => tx.selectFrom('known_record').selectAll().execute());

test('while the connection that sees all has to be connected again, nobody who sees less takes its place', async () => {
  const { id } = await bystander.create('person', { name: 'Ada', emails: [{ value: EMAIL }] });
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  await addPersonal(String(id));
  await world.setConnectionTo({ status: 'NEEDS_REAUTH' });
  await tracking.verify();
  tracking.forward(90_000_000);
  await tracking.settle();
  expect(await tracking.registry()).toMatchObject({
    connection_id: world.connection.id,
    reason: 'connection_needs_reauth',
  });
  expect(await keys()).toHaveLength(1);
  expect(await known()).toMatchObject([{ deleted: false, hidden: false }]);
  await world.setConnectionTo({ status: 'ACTIVE' });
  tracking.forward(61_000);
  await tracking.settle();
  expect(await tracking.certificate()).toMatchObject({ state: 'CLEAN', pipedrive_count: 1 });
  expect(await tracking.registry()).toMatchObject({ reason: null });
});

const forgetNeedOfAll = () =>
  world.scoped((tx) =>
    tx.deleteFrom('registry_need').where('connection_id', '=', world.connection.id).execute(),
  );

test('the organization’s connection reads though only a person’s needs it, and nobody does while it is switched off (SL-11)', async () => {
  const { id } = await bystander.create('person', { name: 'Ada', emails: [{ value: EMAIL }] });
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  await addPersonal(String(id));
  await forgetNeedOfAll();
  const read = async () => (await bystander.requests()).length;
  await world.setConnectionTo({ status: 'DISABLED' });
  const before = await read();
  await tracking.verify();
  tracking.forward(90_000_000);
  await tracking.settle();
  expect(await tracking.registry()).toMatchObject({
    connection_id: world.connection.id,
    reason: 'connection_disabled',
  });
  expect(await read()).toBe(before);

  await world.setConnectionTo({ status: 'ACTIVE' });
  tracking.forward(61_000);
  await tracking.settle();
  expect(await read()).toBeGreaterThan(before);
  expect(await tracking.registry()).toMatchObject({ connection_id: world.connection.id });
  // the person’s own does not see this one
  expect(await tracking.certificate()).toMatchObject({ state: 'CLEAN', pipedrive_count: 1 });
});

test('when nobody is left who sees as much, everything is read anew with what there is', async () => {
  await world.setConnectionTo({ kind: 'PERSONAL', user_id: newId('us', UserId) });
  const { id } = await bystander.create('person', { name: 'Ada', emails: [{ value: EMAIL }] });
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  await addPersonal(String(id));
  await forgetNeedOfAll();
  tracking.forward(4_000_000);
  await tracking.settle();
  expect(await tracking.registry()).toMatchObject({
    connection_id: personal.id,
    sight: personal.id,
  });
  expect(await tracking.certificate()).toMatchObject({ state: 'BASELINE', pipedrive_count: 0 });
  expect(await tracking.events()).toEqual([]);
});

test('the keys of what is out of sight stay: it exists', async () => {
  await world.setConnectionTo({ is_admin: false });
  const { id } = await bystander.create('person', { name: 'Ada', emails: [{ value: EMAIL }] });
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  const { clientFor } = tracking.deps.access;
  const listAs = (isSeen: boolean) => {
    tracking.deps.access.clientFor = async (...asked) => ({
      ...(await clientFor(...asked)),
      ...(isSeen ? {} : { listRecords: async () => ({ outcome: 'ok', data: [] }) as const }),
      getRecord: async () => ({ outcome: 'refused', status: 404, message: 'not found' }),
    });
  };
  listAs(false);
  await tracking.verify();
  expect(await tracking.certificate()).toMatchObject({
    state: 'REPAIRED',
    hidden: 1,
    cost_tokens: 31,
  });
  expect(await keys()).toHaveLength(1);
  expect(await tracking.find(EMAIL)).toEqual({ outcome: 'known', pipedriveIds: [String(id)] });
  listAs(true);
  await tracking.verify();
  expect(await tracking.certificate()).toMatchObject({ state: 'CLEAN', known_count: 1 });
  expect(await known()).toMatchObject([{ hidden: false, deleted: false }]);
});
