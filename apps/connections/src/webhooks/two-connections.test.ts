import { ConnectionId, UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import type { WebhookEvent } from '@manifold/pipedrive';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createTracking, type Tracking } from '../../test/tracking.ts';
import { createWorld, type World } from '../../test/writing.ts';
import { insertConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { tellChange } from './telling.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
let world: World;
let tracking: Tracking;
let shared: Connection;
let personal: Connection;

beforeEach(async () => {
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  tracking = createTracking(world);
  shared = world.connection;
  personal = await connectAnother({});
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

async function connectAnother(change: Partial<Connection>): Promise<Connection> {
  const id = newId('cn', ConnectionId);
  const connection: Connection = {
    ...shared,
    id,
    kind: 'PERSONAL',
    ...{ is_admin: false, pipedrive_user_id: '77' },
    ...{ user_id: newId('us', UserId), webhook_path_hash: id },
    ...change,
  };
  await world.scoped((tx) => insertConnection(tx, connection));
  return connection;
}

const at = (seconds: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, seconds)).toISOString();
const eventOf = (change: Partial<WebhookEvent> & Pick<WebhookEvent, 'id'>): WebhookEvent => ({
  ...{ action: 'change', object: 'person', recordId: '8', companyId: shared.company_id },
  ...{ userId: null, webhookId: null, correlationId: null, attempt: 1, changeSource: null },
  ...{ bulkEdit: false, mergedInto: null, mergedFrom: null, previous: null, occurredAt: at(0) },
  permittedUserIds: ['1', '77'],
  record: {
    ...{ object: 'person', id: change.recordId ?? '8', addTime: null, fields: {} },
    ...{ updateTime: at(0), deleted: change.action === 'delete' },
  },
  ...change,
});
const tell = (connection: Connection, event: WebhookEvent) =>
  world.scoped((tx) => tellChange(tracking.deps, tx, { connection, catalogue: undefined, event }));

test('a change both connections to a company hear of is one event, which names both', async () => {
  expect(await tell(shared, eventOf({ id: 'one' }))).toBe(true);
  // whether or not Pipedrive gives both the same id
  expect(await tell(personal, eventOf({ id: 'one' }))).toBe(false);
  expect(await tell(personal, eventOf({ id: 'other' }))).toBe(false);
  expect(await tracking.events()).toMatchObject([
    { connectionId: shared.id, otherConnectionIds: [personal.id] },
  ]);
  expect(await tell(personal, eventOf({ id: 'two', occurredAt: at(2) }))).toBe(true);
  expect(await tell(shared, eventOf({ id: 'two', occurredAt: at(2) }))).toBe(false);
  expect(await tell(shared, eventOf({ id: 'late', occurredAt: at(1) }))).toBe(false);
  const [, second, ...rest] = await tracking.events();
  expect(second).toMatchObject({ connectionId: personal.id, otherConnectionIds: [shared.id] });
  expect(rest).toEqual([]);
});

test('a deletion and a merge are told once, whoever of the two hears what of it', async () => {
  const deleted = { action: 'delete', recordId: '9' } as const;
  await tell(shared, eventOf({ id: 'd', ...deleted }));
  await tell(personal, eventOf({ id: 'e', ...deleted }));
  const lost = { action: 'delete', recordId: '10', mergedInto: '11' } as const;
  const won = { recordId: '11', mergedFrom: '10' } as const;
  await tell(shared, eventOf({ id: 'won', ...won }));
  await tell(personal, eventOf({ id: 'lost-too', ...lost }));
  await tell(personal, eventOf({ id: 'won-too', ...won }));
  await tell(shared, eventOf({ id: 'lost', ...lost }));
  expect(await tracking.events()).toMatchObject([
    { pipedriveId: '9', action: 'deleted' },
    { pipedriveId: '11', action: 'updated' },
    { pipedriveId: '10', action: 'merged', mergedIntoPipedriveId: '11' },
  ]);
});

test('what a sweep through one connection told, the late delivery of the other does not tell again', async () => {
  const administrator = await connectAnother({ pipedrive_user_id: '78', is_admin: true });
  const read = eventOf({ id: 'read:person:8:0', permittedUserIds: null, occurredAt: at(5) });
  await tell(shared, read);
  await tell(administrator, eventOf({ id: 'late', occurredAt: at(4) }));
  expect(await tracking.events()).toMatchObject([
    { connectionId: shared.id, otherConnectionIds: [administrator.id] },
  ]);
});

test('who may not see a record, and who is switched off, is named in no event of another', async () => {
  const off = await connectAnother({ pipedrive_user_id: '79', status: 'DISABLED' });
  await tell(shared, eventOf({ id: 'secret', permittedUserIds: ['1', '79'] }));
  const [event] = await tracking.events();
  expect(event).not.toHaveProperty('otherConnectionIds');
  // its own deliveries waited until it was switched on again
  expect(await tell(off, eventOf({ id: 'secret', permittedUserIds: ['1', '79'] }))).toBe(true);
  expect(await tracking.events()).toHaveLength(2);
});
