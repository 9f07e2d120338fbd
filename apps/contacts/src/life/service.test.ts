import { startCommandRelay } from '@manifold/messaging';
import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { organizationOf, personOf } from '../../test/records.ts';
import { type Desk, openDesk } from '../../test/sync.ts';
import { migrations } from '../migrations/index.ts';
import { findActiveRun } from '../runs/store.ts';
import type { DataSource, Tables } from '../store.ts';
import { createOnRefused } from '../tracking/commands.ts';
import { changeLife, reconnectDataSource } from './commands.ts';
import type { Act } from './rules.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
let desk: Desk;
let stopRelay: () => Promise<void>;
beforeEach(() => {
  desk = openDesk({ db, nats, log: silentLog, eventually });
  const onRefused = createOnRefused({ log: silentLog });
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

test('a source that is disconnected follows nothing, and reconnected reads what changed since (OR-40, OR-42, OR-61)', async () => {
  desk.fill({ organizations: 1, persons: 3 });
  const source = await desk.openSource();
  await desk.sync(source.id);
  await eventually(async () => expect(desk.neighbours.tracked.size).toBe(2));

  await act('disconnect', source);
  await act('disconnect', source);
  await eventually(async () => expect(desk.neighbours.tracked.size).toBe(0));
  await expect(desk.start(source.id)).rejects.toMatchObject({
    detail: { reason: 'data_source_disconnected' },
  });
  const changed = personOf(2, { name: 'Changed meanwhile' });
  const updateTime = new Date(Date.now() + 1_000).toISOString();
  desk.neighbours.records.person[1] = { ...changed, updateTime };

  expect(await reconnect(source)).toMatchObject({ state: 'ACTIVE' });
  await reconnect(source);
  const stopWorker = desk.startWorker();
  const run = await desk.ended((await activeRun(source))?.id ?? missing());
  await stopWorker();
  expect(run).toMatchObject({ kind: 'INCREMENTAL', done: 1, counts: { updated: 1 } });
  await eventually(async () => expect(desk.neighbours.tracked.size).toBe(2));
  expect(await actionsOf(source)).toEqual(['disconnected', 'reconnected']);
});

test('a source that was never read is reconnected without a run', async () => {
  const source = await desk.openSource();
  await act('disconnect', source);
  await reconnect(source);
  expect(await activeRun(source)).toBeUndefined();
});

test.each([
  ['DISABLED', 'connection_disabled'],
  ['NEEDS_REAUTH', 'connection_needs_reauth'],
] as const)('a connection that is %s is not reconnected to', async (status, reason) => {
  const source = await desk.openSource();
  await act('disconnect', source);
  desk.neighbours.status = status;
  await expect(reconnect(source)).rejects.toMatchObject({
    kind: 'precondition',
    detail: { reason },
  });
});

test('a source that is archived comes back disconnected', async () => {
  const source = await desk.openSource();
  expect(await act('archive', source)).toMatchObject({ state: 'ARCHIVED' });
  expect(await act('restore', source)).toMatchObject({ state: 'DISCONNECTED' });
  expect(await act('restore', source)).toMatchObject({ state: 'DISCONNECTED' });
  expect(await reconnect(source)).toMatchObject({ state: 'ACTIVE' });
  expect(await actionsOf(source)).toEqual(['archived', 'restored', 'reconnected']);
});

test('a source that is deleted cancels its run; its contacts and accounts stay, and another source finds them (OR-51)', async () => {
  desk.fill({ organizations: 1, persons: 3 });
  const source = await desk.openSource();
  await desk.sync(source.id);
  const { id } = await desk.start(source.id);
  await act('delete', source);
  await act('delete', source);

  expect((await desk.theRun(id)).state).toBe('CANCELLED');
  expect(await entities()).toEqual({ contacts: 3, accounts: 1 });
  await expect(reconnect(source)).rejects.toMatchObject({
    detail: { reason: 'data_source_deleted' },
  });
  const next = await desk.openSource();
  await desk.sync(next.id);
  expect(await entities()).toEqual({ contacts: 3, accounts: 1 });
});

test('what a deleted source brought goes with its record when the only other source says so (A12)', async () => {
  desk.neighbours.records.organization = [organizationOf(1)];
  const first = await desk.openSource();
  await desk.sync(first.id);
  await act('delete', first);
  const second = await desk.openSource();
  await desk.sync(second.id);
  const updateTime = new Date(Date.now() + 1_000).toISOString();
  desk.neighbours.records.organization = [{ ...organizationOf(1), deleted: true, updateTime }];
  await desk.sync(second.id);
  expect(await entities()).toEqual({ contacts: 0, accounts: 0 });
});

const act = (what: Exclude<Act, 'reconnect'>, { id }: DataSource) =>
  changeLife(desk.deps, { act: what, origin: desk.origin, dataSourceId: id });

const reconnect = ({ id }: DataSource) =>
  reconnectDataSource(desk.deps, { origin: desk.origin, dataSourceId: id });

const activeRun = ({ id }: DataSource) =>
  desk.within((tx) => findActiveRun(tx, desk.workspaceId, id));

const missing = (): never => {
  throw new Error('there is no run under way');
};

const rowsOf = <Row>(query: ReturnType<typeof sql<Row>>) =>
  desk.within(async (tx) => (await query.execute(tx)).rows);

const entities = async () =>
  (
    await rowsOf(sql<object>`select (select count(*)::int from contact) as contacts,
      (select count(*)::int from account) as accounts`)
  )[0];

/** What was said of a source after its creation. */
const actionsOf = async ({ id }: DataSource) => {
  const rows = await rowsOf(sql<{
    action: string;
  }>`select body::jsonb -> 'payload' ->> 'action' as action from outbox
    where key = ${id} and name like 'contacts.data_source_changed.%' order by id`);
  return rows.map(({ action }) => action);
};
