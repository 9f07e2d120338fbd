import { ConnectionId, UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import {
  APPROVE,
  createAsking,
  mutationOf,
  READ,
  setSubgraph,
  UNDO,
} from '../../../test/set-graph.ts';
import { createWorld } from '../../../test/writing.ts';
import { askerOf, personStep } from '../../../test/write-commands.ts';
import { sealSecret } from '../../accounts/tokens/credential.ts';
import { deleteConnection } from '../../accounts/removal/removal.ts';
import { insertConnection, removeConnection, setConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons, namesOf } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
let sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: () => sender.wake() });
const wakes = { sender: () => sender.wake(), worker: worker.wake };
const { graph, stop } = await startTestGraph(setSubgraph(world, wakes));
const { ask, namesPlanned, planned, reached, ended } = createAsking(world, graph, eventually);

const kim = newId('us', UserId);
const lee = newId('us', UserId);
let kims: Connection;
let kimsUserId = 0;

const stateShape = z.object({
  users: z.array(z.object({ id: z.number(), apiToken: z.string() })),
});
const changelog = z.object({
  data: z.array(z.object({ field_key: z.string(), actor_user_id: z.number() })),
});

beforeAll(async () => {
  const { users } = stateShape.parse(await bystander.call('GET', '/control/state'));
  const [organization, own] = users;
  kimsUserId = own?.id ?? 0;
  expect(String(kimsUserId)).not.toBe(String(organization?.id));
  kims = {
    ...world.connection,
    id: newId('cn', ConnectionId),
    user_id: kim,
    kind: 'PERSONAL',
    pipedrive_user_id: String(kimsUserId),
    webhook_path_hash: 'kims',
  };
  kims = { ...kims, access_token: tokenOf(kims, own?.apiToken ?? '') };
  await world.scoped((tx) => insertConnection(tx, kims));
});
afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await stop();
  await pipedrive.stop();
  await drop();
});

const tokenOf = (connection: Connection, secret: string) =>
  sealSecret(world.vault, connection, { column: 'access_token', secret });
const setKims = (change: Partial<Connection>) =>
  world.scoped((tx) => setConnection(tx, kims.id, change));
const approve = (set: { id: string; hash: string }, userId: UserId, more: object = {}) =>
  ask(APPROVE, { input: { id: set.id, hash: set.hash, ...more } }, { userId });

/** Who gave the persons their name, by Pipedrive's word. */
const authorsOf = (ids: readonly (number | undefined)[]) =>
  Promise.all(
    ids.map(async (id) => {
      const { data } = changelog.parse(
        await bystander.call('GET', `/api/v1/persons/${id}/changelog`),
      );
      return data.find(({ field_key }) => field_key === 'name')?.actor_user_id;
    }),
  );
const removal = { apps: [], allowedApiDomains: [pipedrive.url], onCall: () => Promise.resolve() };
const asKim = { user: { id: kim }, connection: { id: '' } };

test('what somebody plans and approves by hand is written in their own name, and so is undoing it (SL-13)', async () => {
  const [one] = await makePersons(1);
  const set = await namesPlanned({ After: one }, { userId: kim });
  expect(set.attributedTo).toBeNull();
  const approved = await approve(set, kim);
  const attribution = { ...asKim, connection: { id: kims.id } };
  expect(approved.data.approveChangeSet.changeSet.attributedTo).toEqual(attribution);
  await ended(set.id);
  expect(await authorsOf([one])).toEqual([kimsUserId]);

  const { data } = await ask(UNDO, { input: { id: set.id } }, { userId: kim });
  const undo = await planned(data.undoChangeSet.changeSet.id);
  await approve(undo, kim);
  expect(await ended(undo.id)).toMatchObject({ attributedTo: attribution });
  expect(await authorsOf([one])).toEqual([kimsUserId]);
  expect(await namesOf([one])).toEqual(['Before 0']);
}, 60_000);

test('what is approved by somebody without a connection of their own is the organization’s', async () => {
  const [one] = await makePersons(1);
  const set = await namesPlanned({ After: one }, { userId: kim });
  await approve(set, lee);
  expect(await ended(set.id)).toMatchObject({ attributedTo: null });
  expect(await authorsOf([one])).not.toEqual([kimsUserId]);
});

test('what a service asked for is the organization’s, whoever approves it (SL-11)', async () => {
  const [one] = await makePersons(1);
  const id = await changing.planned([named(one, 'After')]);
  const { hash } = await changing.find(id);
  await approve({ id, hash: hash ?? '' }, kim);
  expect(await ended(id)).toMatchObject({ attributedTo: null });
  expect(await authorsOf([one])).not.toEqual([kimsUserId]);
});

test('a personal connection that breaks is waited for, and the set says so', async () => {
  const [one] = await makePersons(1);
  const set = await namesPlanned({ After: one }, { userId: kim });
  await sender.stop();
  await approve(set, kim);
  await eventually(async () =>
    expect((await changing.totals(set.id)).states).toMatchObject({ APPLYING: 1 }),
  );
  await setKims({ status: 'NEEDS_REAUTH', broken_since: new Date() });
  sender = world.startWorker();
  const waiting = await eventually(
    async () => {
      const { data } = await ask(READ, { id: set.id });
      expect(data.changeSet.waitsFor).toBe('connection_needs_reauth');
      return data.changeSet;
    },
    { timeoutMs: 10_000 },
  );
  expect(waiting).toMatchObject({
    state: 'APPLYING',
    why: expect.stringContaining('API token'),
    fix: expect.stringContaining('again'),
  });
  await setKims({ status: 'ACTIVE', broken_since: null });
  await ended(set.id);
  expect(await authorsOf([one])).toEqual([kimsUserId]);
}, 60_000);

test('what was approved in the name of somebody whose connection is removed is not lost with it', async () => {
  const ids = await makePersons(2);
  const set = await namesPlanned({ First: ids[0], Second: ids[1] }, { userId: kim });
  await sender.stop();
  await approve(set, kim);
  await eventually(async () =>
    expect((await changing.totals(set.id)).states).toMatchObject({ APPLYING: 2 }),
  );
  const by = { ...askerOf(world.workspaceId), userId: kim, byAdmin: false };
  await deleteConnection({ ...world.deps, ...removal }, kims.id, by);
  sender = world.startWorker();

  const waiting = await reached(set.id, 'AWAITING_APPROVAL');
  expect(waiting).toMatchObject({ reason: 'connection_missing', attributedTo: null });
  await approve(waiting, lee);
  await ended(set.id);
  expect(await namesOf(ids)).toEqual(['First', 'Second']);
  await world.scoped((tx) => insertConnection(tx, kims));
}, 60_000);

test('when a personal connection is removed, what is left waits for another yes', async () => {
  const ids = await makePersons(2);
  const set = await namesPlanned({ First: ids[0], Second: ids[1] }, { userId: kim });
  await approve(set, kim, { first: 1 });
  await eventually(async () =>
    expect((await ask(READ, { id: set.id })).data.changeSet.reason).toBe('canary_finished'),
  );
  await approve(set, kim, { starts: false });
  await world.scoped((tx) => removeConnection(tx, kims.id));
  await ask(
    'mutation ($input: ChangeSetInput!) { applyChangeSet(input: $input) { changeSet { id } } }',
    { input: { id: set.id } },
    { userId: lee },
  );
  const waiting = await eventually(async () => {
    const found = await reached(set.id, 'AWAITING_APPROVAL');
    expect(found.reason).toBe('connection_missing');
    return found;
  });
  expect(waiting).toMatchObject({ attributedTo: null, fix: expect.stringContaining('Approve') });
  await approve(waiting, lee);
  await ended(set.id);
  expect(await namesOf(ids)).toEqual(['First', 'Second']);
  const [first, second] = await authorsOf(ids);
  expect(first).toBe(kimsUserId);
  expect(second).not.toBe(kimsUserId);
}, 60_000);

test('of several own connections the one connected last is shown and used, unless one is named', async () => {
  // an earlier test took it away
  await world.scoped((tx) => insertConnection(tx, kims));
  const at = new Date(Date.now() + 60_000);
  const own = {
    id: newId('cn', ConnectionId),
    pipedrive_user_id: '999',
    webhook_path_hash: 'kims-2',
  };
  const newer = { ...kims, ...own, created_at: at, established_at: at };
  await world.scoped((tx) => insertConnection(tx, newer));
  const [one] = await makePersons(1);
  const set = await namesPlanned({ After: one }, { userId: kim });
  const { data } = await approve(set, kim, { starts: false });
  expect(data.approveChangeSet.changeSet.attributedTo.connection).toEqual({ id: newer.id });
  await ask(mutationOf('cancelChangeSet', 'ChangeSetInput'), { input: { id: set.id } });

  const through = async (connectionId: ConnectionId) => {
    const steps = [personStep(`named-${connectionId}@example.test`)];
    const asked = { connectionId, actingUserId: kim, steps };
    const { writeRequestId } = await world.submit(asked);
    return (await world.stepsOf(writeRequestId))[0]?.connection_id;
  };
  expect(await through(world.connection.id)).toBe(newer.id);
  expect(await through(kims.id)).toBe(kims.id);
  await world.scoped((tx) => removeConnection(tx, newer.id));
}, 60_000);
