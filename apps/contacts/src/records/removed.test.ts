import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type ChangeDesk, openChangeDesk } from '../../test/changes.ts';
import { personOf } from '../../test/records.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
let desk: ChangeDesk;
beforeEach(async () => {
  desk = await openChangeDesk({ db, nats, log: silentLog, eventually });
  desk.neighbours.records.person = [personOf(1, { name: 'As it is now', second: 7 })];
});
afterEach(() => desk.close());
afterAll(async () => {
  await drop();
  await stop();
});

test('a change told through a connection removed meanwhile is read through another it names', async () => {
  const other = await desk.openSource();
  desk.neighbours.removed.add(desk.source.connection_id);

  await desk.change(null, { revision: 5_000, otherConnectionIds: [other.connection_id] });

  const contacts = await desk.contacts();
  expect(contacts.map(({ name }) => name)).toContain('As it is now');
});

test('one no connection is left to read through is tried again, and brought when one is there', async () => {
  desk.neighbours.removed.add(desk.source.connection_id);
  const receiptId = desk.neighbours.keep(null);
  const event = await desk.send({ receiptId, pipedriveId: '1', revision: 5_000 });
  await eventually(async () => expect(await desk.isWaiting(event)).toBe(true));
  desk.neighbours.removed.clear();
  const isBrought = async () => expect(await desk.contacts()).toHaveLength(1);
  await eventually(isBrought, { timeoutMs: 12_000 });
});
