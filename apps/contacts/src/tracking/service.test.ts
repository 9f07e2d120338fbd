import { ConnectionId, ConnectionStatusChanged, type DataSourceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { startCommandRelay } from '@manifold/messaging';
import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type ChangeDesk, openChangeDesk } from '../../test/changes.ts';
import { type Desk, openDesk } from '../../test/sync.ts';
import { migrations } from '../migrations/index.ts';
import { changeLife } from '../life/commands.ts';
import type { Tables } from '../store.ts';
import { createOnRefused } from './commands.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
const onRefused = createOnRefused({ log: silentLog });
let desk: Desk;
let stopRelay: () => Promise<void>;
beforeEach(() => {
  desk = openDesk({ db, nats, log: silentLog, eventually });
  stopRelay = startCommandRelay({ db, nats, log: silentLog, onRefused });
});
afterEach(async () => {
  await stopRelay();
  await desk.close();
});
afterAll(async () => {
  await drop();
  await stop();
});

const BOTH = [
  ['organization', { feature: 'contacts', keys: [] }],
  ['person', { feature: 'contacts', keys: [] }],
];
const tracked = () =>
  [...desk.neighbours.tracked].toSorted(([one], [other]) => one.localeCompare(other));
const archive = (dataSourceId: DataSourceId) =>
  changeLife(desk.deps, { act: 'archive', origin: desk.origin, dataSourceId });
const waiting = (within: ChangeDesk['within'] = desk.within) =>
  within(async (tx) => {
    const { rows } = await sql<object>`select id from command_outbox`.execute(tx);
    return rows.length;
  });
const allSent = () => eventually(async () => expect(await waiting()).toBe(0));

test('a new source has the persons and organizations of its connection tracked, without keys', async () => {
  await desk.openSource();
  await allSent();
  expect(tracked()).toEqual(BOTH);
});

test('a connection is tracked while any of its sources is active, in the order sources come and go', async () => {
  const [first, second] = [await desk.openSource(), await desk.openSource()];
  await archive(first.id);
  await allSent();
  expect(tracked()).toEqual(BOTH);

  await archive(second.id);
  await allSent();
  expect(tracked()).toEqual([]);

  await desk.openSource();
  await allSent();
  expect(tracked()).toEqual(BOTH);
});

test('sources made and archived at the same moment leave it as the last one needs it', async () => {
  const sources = await Promise.all([1, 2, 3, 4].map(() => desk.openSource()));
  const [left, ...others] = sources;
  await Promise.all([...others.map(({ id }) => archive(id)), desk.openSource()]);
  await allSent();
  expect(tracked()).toEqual(BOTH);
  expect(left?.state).toBe('ACTIVE');
});

test('a source is archived while connections is away, and the tracking ends when it is back', async () => {
  const source = await desk.openSource();
  await allSent();
  await desk.neighbours.stop();
  expect(await archive(source.id)).toMatchObject({ state: 'ARCHIVED' });
  expect(await waiting()).toBe(2);

  desk.neighbours.restart();
  await eventually(async () => expect(tracked()).toEqual([]), { timeoutMs: 12_000 });
});

test('a run says again that records are to be tracked, in case it was never heard', async () => {
  const source = await desk.openSource();
  await allSent();
  desk.neighbours.tracked.clear();
  await desk.start(source.id);
  await allSent();
  expect(tracked()).toEqual(BOTH);
});

test('what concerns a connection that was removed is dropped and holds nothing up', async () => {
  const { id } = await desk.openSource();
  await allSent();
  desk.neighbours.connectionId = newId('cn', ConnectionId);
  await desk.start(id);
  await allSent();
  expect(desk.neighbours.timesTracked).toBe(2);
});

test('a connection that works again is tracked as before, one without a source is not', async () => {
  const changes: ChangeDesk = await openChangeDesk({ db, nats, log: silentLog, eventually });
  const { connection_id: connectionId } = changes.source;
  // the stand-ins share one queue: only this one is to answer
  await desk.neighbours.stop();
  await changes.sendEvent(ConnectionStatusChanged.name, {
    connectionId,
    status: 'ACTIVE',
  });
  await eventually(async () => expect(await waiting(changes.within)).toBe(0));
  expect([...changes.neighbours.tracked.keys()].toSorted()).toEqual(['organization', 'person']);

  await changes.sendEvent(ConnectionStatusChanged.name, {
    connectionId: newId('cn', ConnectionId),
    status: 'ACTIVE',
  });
  expect(await waiting(changes.within)).toBe(0);
  await changes.close();
});
