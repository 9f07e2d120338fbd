import {
  ConnectionId,
  EventId,
  FieldMappingId,
  DataSourceId,
  MappingPublished,
  type PipedriveRecord,
  RecordChanged,
  subjectOf,
  WorkspaceId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { consume, ensureStream } from '@manifold/messaging';
import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { jetstream } from '@nats-io/jetstream';
import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createHandlers } from '../handlers.ts';
import { createMappings, keepMapping } from '../mappings/commands.ts';
import { prepareMapping } from '../mappings/rules.ts';
import { migrations } from '../migrations/index.ts';
import { at, organizationOf, personOf, sourceOf, startNeighbours } from '../neighbours.fixture.ts';
import { insertSource } from '../sources/store.ts';
import type { Contact, DataSource, SyncedObject, Tables } from '../store.ts';
import { applyRecords } from './commands.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
const now = () => new Date();
const handlers = createHandlers({ db, nats, mappings: createMappings(), now });
await ensureStream(nats, 'contacts');
await ensureStream(nats, 'field-mapping');
const stopConsuming = await consume({ db, nats, service: 'contacts', handlers, log: silentLog });
let neighbours = startNeighbours(nats, silentLog);
let workspaceId = newId('ws', WorkspaceId);
let source: DataSource;

beforeEach(async () => {
  workspaceId = newId('ws', WorkspaceId);
  source = await openSource();
});
afterAll(async () => {
  await stopConsuming();
  await neighbours.stop();
  await drop();
  await stop();
});

describe('a person changed in Pipedrive', () => {
  test('is created and changed here, and the events name keys, never values (WX-01, WX-02)', async () => {
    await change(personOf(1), { action: 'created', revision: 1 });
    const changed = await change(personOf(1, { name: 'Zoë Q', second: 5 }), { revision: 5_000 });

    const [contact] = await contacts();
    expect(contact).toMatchObject({ name: 'Zoë Q', email: 'person1@example.com' });
    const events = await published(contact?.id ?? '');
    expect(events.map(({ payload }) => [payload.action, payload.changedKeys])).toEqual([
      ['created', ['name', 'email', 'emails', 'phone', 'industry', 'budget']],
      ['updated', ['name']],
    ]);
    expect(events[1]).toMatchObject({ correlationId: 'from-a-webhook', causationId: changed });
    expect(JSON.stringify(events)).not.toMatch(/Zoë|example\.com/i);
  });

  test('without any change to what is mapped writes nothing and says nothing', async () => {
    await change(personOf(1), { action: 'created', revision: 1 });
    const before = await contacts();
    await change({ ...personOf(1, { second: 9 }) }, { revision: 9_000 });

    expect(await contacts()).toEqual(before);
    expect(await published(before[0]?.id ?? '')).toHaveLength(1);
  });

  test.each([
    ['an older second', { second: 4, revision: 9_999_999 }],
    ['the same second and an older revision', { second: 5, revision: 5_100 }],
    ['the same revision once more', { second: 5, revision: 5_200 }],
  ])('keeps its newest state when %s comes after it', async (_, { second, revision }) => {
    await change(personOf(1, { name: 'Newest', second: 5 }), { revision: 5_200 });
    await change(personOf(1, { name: 'Late', second }), { revision });

    expect(await contacts()).toMatchObject([{ name: 'Newest' }]);
  });

  test('twice in one second ends as the second change left it', async () => {
    await change(personOf(1, { name: 'First', second: 5 }), { revision: 5_100 });
    await change(personOf(1, { name: 'Second', second: 5 }), { revision: 5_200 });

    expect(await contacts()).toMatchObject([{ name: 'Second' }]);
  });

  test('is not put back by a page of the same second or an older one, but by a newer one', async () => {
    await change(personOf(1, { name: 'By webhook', second: 5 }), { revision: 5_200 });
    for (const second of [4, 5]) {
      const [applied] = await page('person', [personOf(1, { name: 'By page', second })]);
      expect(applied).toMatchObject({ outcome: 'skipped', reason: 'superseded_by_newer' });
    }
    expect(await contacts()).toMatchObject([{ name: 'By webhook' }]);

    await page('person', [personOf(1, { name: 'By page', second: 6 })]);
    expect(await contacts()).toMatchObject([{ name: 'By page' }]);
  });

  test('is read from Pipedrive when its webhook is no longer kept', async () => {
    neighbours.records.person = [personOf(1, { name: 'As it is now', second: 7 })];
    await change(null, { revision: 5_000 });

    expect(await contacts()).toMatchObject([{ name: 'As it is now' }]);
  });

  test('while connections is away is brought when it is back', async () => {
    await neighbours.stop();
    const receipt = neighbours.keep(personOf(1));
    const event = await send({ receiptId: receipt, pipedriveId: '1', revision: 1 });
    await eventually(async () => expect(await isWaiting(event)).toBe(true));
    const { connectionId, mappingId, receipts } = neighbours;
    neighbours = Object.assign(startNeighbours(nats, silentLog), {
      connectionId,
      mappingId,
      receipts,
    });

    await eventually(async () => expect(await contacts()).toHaveLength(1));
  });

  test('of a connection without an active source changes nothing', async () => {
    await withWorkspace(db, workspaceId, (tx) =>
      sql`update data_source set state = 'ARCHIVED'`.execute(tx),
    );
    await change(personOf(1), { action: 'created', revision: 1 });
    expect(await contacts()).toEqual([]);
  });

  test('goes through the newest published mapping, from its publication on (WX-07)', async () => {
    await change(personOf(1, { name: 'Ada' }), { revision: 1 });
    const mapping = sourceOf();
    const rows = mapping.rows.filter(({ target }) => target.field !== 'phone');
    neighbours.mapping = { version: 2, source: { ...mapping, rows } };
    await sendEvent(MappingPublished.name, {
      mappingId: source.mapping_id,
      version: 2,
      connectionId: source.connection_id,
      purpose: 'CONTACTS_FROM_PIPEDRIVE',
      hash: 'f'.repeat(64),
    });

    await change(personOf(2, { name: 'Bob' }), { revision: 1 });
    expect((await contacts()).map(({ name, phone }) => [name, phone])).toEqual([
      ['Ada', '+49 30 1'],
      ['Bob', ''],
    ]);
    neighbours.mapping = { version: 1, source: sourceOf() };
  });
});

describe('a person deleted in Pipedrive', () => {
  test('takes its contact with it, and nothing late brings it back (WX-06, A12)', async () => {
    await change(personOf(1), { action: 'created', revision: 1 });
    const [contact] = await contacts();
    await change(personOf(1), { action: 'deleted', revision: 10_000 });
    expect(await contacts()).toEqual([]);
    expect((await published(contact?.id ?? '')).at(-1)).toMatchObject({
      payload: { action: 'deleted' },
    });

    await change(personOf(1, { name: 'Late', second: 9 }), { revision: 9_000 });
    await page('person', [personOf(1, { name: 'Late', second: 9 })]);
    expect(await contacts()).toEqual([]);
  });

  test('before it was ever seen stays away as well', async () => {
    await change(personOf(1), { action: 'deleted', revision: 10_000 });
    await page('person', [personOf(1, { second: 9 })]);
    await change(personOf(1, { second: 9 }), { action: 'created', revision: 9_000 });
    expect(await contacts()).toEqual([]);
  });

  test('and restored afterwards is here again', async () => {
    await change(personOf(1), { action: 'created', revision: 1 });
    await change(personOf(1), { action: 'deleted', revision: 10_000 });
    await change(personOf(1, { name: 'Back', second: 11 }), { revision: 11_000 });
    expect(await contacts()).toMatchObject([{ name: 'Back' }]);
  });

  test('stays a contact while another connection has it; only what came from the deleted one goes (A12)', async () => {
    const other = await openSource({ rows: ['1', '2', '5'] });
    await change(personOf(1, { email: 'ada@example.com' }), { action: 'created', revision: 1 });
    await page('person', [personOf(77, { name: 'Ada', email: 'ADA@example.com' })], other);
    const [contact] = await contacts();
    expect(contact).toMatchObject({
      name: 'Ada',
      values: { industry: 'Farming', budget: { amount: 10 } },
    });

    await change(personOf(1), { action: 'deleted', revision: 10_000 });

    const [left] = await contacts();
    expect(left).toMatchObject({
      id: contact?.id,
      name: 'Ada',
      email: 'ada@example.com',
      phone: '',
    });
    expect(Object.keys(left?.values ?? {}).toSorted()).toEqual(['email', 'industry', 'name']);
    expect((await published(left?.id ?? '')).at(-1)).toMatchObject({
      payload: { action: 'detached', changedKeys: ['phone', 'budget', 'emails'] },
    });
  });
});

describe('a person merged in Pipedrive', () => {
  test('into one that is here leaves one contact, and its link leads to the survivor', async () => {
    await change(personOf(1), { action: 'created', revision: 1 });
    await change(personOf(2, { name: 'Survivor' }), { action: 'created', revision: 1 });
    await change(personOf(1), { action: 'merged', revision: 9_000, mergedInto: '2' });
    await change(personOf(1), { action: 'deleted', revision: 9_100 });

    const [survivor, ...others] = await contacts();
    expect(survivor).toMatchObject({ name: 'Survivor' });
    expect(others).toEqual([]);
    expect(await links()).toMatchObject([
      { pipedrive_id: '1', entity_id: survivor?.id, deleted_at: expect.any(Date) },
      { pipedrive_id: '2', entity_id: survivor?.id, deleted_at: null },
    ]);
  });

  test('into one that is not here yet hands its contact over', async () => {
    await change(personOf(1), { action: 'created', revision: 1 });
    const [contact] = await contacts();
    await change(personOf(1), { action: 'merged', revision: 9_000, mergedInto: '2' });
    await change(personOf(2, { name: 'Survivor', second: 8 }), { revision: 8_000 });

    expect(await contacts()).toMatchObject([{ id: contact?.id, name: 'Survivor' }]);
  });
});

describe('an organization', () => {
  test('that comes after its persons becomes their account', async () => {
    await change(personOf(1, { organization: 5 }), { action: 'created', revision: 1 });
    expect(await contacts()).toMatchObject([{ account_id: null }]);
    await change(organizationOf(5), { action: 'created', revision: 1 });

    const [account] = await accounts();
    expect(await contacts()).toMatchObject([{ account_id: account?.id }]);
  });

  test('that is deleted leaves its persons without an account, until it is restored', async () => {
    await page('organization', [organizationOf(5)]);
    await page('person', [personOf(1, { organization: 5 })]);
    await change(organizationOf(5), { action: 'deleted', revision: 9_000 });
    expect(await accounts()).toEqual([]);
    expect(await contacts()).toMatchObject([{ account_id: null }]);

    await change(organizationOf(5, 12), { revision: 12_000 });
    const [account] = await accounts();
    expect(await contacts()).toMatchObject([{ account_id: account?.id }]);
  });

  test('that is merged hands its persons to the survivor', async () => {
    await page('organization', [organizationOf(5), organizationOf(6)]);
    await page('person', [personOf(1, { organization: 5 })]);
    await change(organizationOf(5), { action: 'merged', revision: 9_000, mergedInto: '6' });

    const [account, ...others] = await accounts();
    expect([account?.name, others]).toEqual(['Organization 6', []]);
    expect(await contacts()).toMatchObject([{ account_id: account?.id }]);
  });

  test('stored side by side with its person, page against page, never misses it', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => index + 1);
    await Promise.all(
      ids.flatMap((id) => [
        page('person', [personOf(id, { organization: id })]),
        page('organization', [organizationOf(id)]),
      ]),
    );
    const all = await contacts();
    expect(all).toHaveLength(40);
    expect(all.filter(({ account_id }) => account_id === null)).toEqual([]);
  });
});

test('a record that page and webhook bring at the same moment becomes one contact', async () => {
  const people = Array.from({ length: 50 }, (_, index) => personOf(index + 1));
  await Promise.all([
    page('person', people),
    page('person', people.toReversed()),
    ...people.slice(0, 10).map((person) => page('person', [person])),
  ]);
  expect(await contacts()).toHaveLength(50);
});

test('a delivery that comes twice is handled once', async () => {
  const payload = { receiptId: neighbours.keep(personOf(1)), pipedriveId: '1', revision: 1 };
  const id = newId('ev', EventId);
  await send(payload, id);
  await eventually(async () => expect(await contacts()).toHaveLength(1));
  await send(payload, id);
  await change(personOf(2), { revision: 2 });
  expect(await published((await contacts())[0]?.id ?? '')).toHaveLength(1);
});

async function openSource({ rows }: { rows?: string[] } = {}): Promise<DataSource> {
  const created = new Date();
  const opened: DataSource = {
    workspace_id: workspaceId,
    id: newId('ds', DataSourceId),
    name: 'Sales',
    connection_id: newId('cn', ConnectionId),
    company_domain: 'acme',
    mapping_id: newId('fm', FieldMappingId),
    mapping_version: 1,
    state: 'ACTIVE',
    created_at: created,
    updated_at: created,
  };
  const mapping = sourceOf();
  const kept = rows
    ? { ...mapping, rows: mapping.rows.filter(({ id }) => rows.includes(id)) }
    : mapping;
  neighbours.mappingId = opened.mapping_id;
  neighbours.connectionId = opened.connection_id;
  await withWorkspace(db, workspaceId, async (tx) => {
    const published = {
      mappingId: opened.mapping_id,
      version: 1,
      hash: 'f'.repeat(64),
      source: kept,
    };
    await keepMapping(tx, workspaceId, { mapping: published, now: created });
    await insertSource(tx, opened);
  });
  return opened;
}

interface Change {
  action?: 'created' | 'updated' | 'deleted' | 'merged';
  revision: number;
  mergedInto?: string;
}

/** A change as connections tells it, and handled: revisions count milliseconds from the first record on. */
async function change(
  record: PipedriveRecord | null,
  { mergedInto, ...told }: Change,
): Promise<string> {
  const event = await send({
    receiptId: neighbours.keep(record),
    object: record?.object ?? 'person',
    pipedriveId: record?.id ?? '1',
    ...told,
    ...(mergedInto === undefined ? {} : { mergedIntoPipedriveId: mergedInto }),
  });
  await eventually(async () => expect(await isDone(event)).toBe(true));
  return event;
}

async function send(
  payload: { receiptId: string; pipedriveId: string; revision: number; object?: string },
  id = newId('ev', EventId),
): Promise<string> {
  const facts = {
    connectionId: source.connection_id,
    object: 'person',
    action: 'updated',
    changedKeys: [],
  };
  const revision = Date.parse(at(0)) + payload.revision;
  return publishEvent(
    RecordChanged.name,
    { ...facts, origin: 'pipedrive', ...payload, revision },
    id,
  );
}

async function sendEvent(name: string, payload: object): Promise<void> {
  const event = await publishEvent(name, payload, newId('ev', EventId));
  await eventually(async () => expect(await isDone(event)).toBe(true));
}

async function publishEvent(name: string, payload: object, id: EventId): Promise<string> {
  const envelope = {
    ...{ id, name, workspaceId, occurredAt: now().toISOString(), correlationId: 'from-a-webhook' },
    ...{ actor: { kind: 'pipedrive', id: '1' }, payload },
  };
  await jetstream(nats).publish(subjectOf(name, workspaceId), JSON.stringify(envelope));
  return id;
}

/** A page of a run of the source. */
const page = (object: SyncedObject, records: PipedriveRecord[], of: DataSource = source) =>
  withWorkspace(db, workspaceId, async (tx) => {
    const [copy] = (
      await sql<{ source: ReturnType<typeof sourceOf> }>`select source from mapping_copy
        where mapping_id = ${of.mapping_id}`.execute(tx)
    ).rows;
    const mapping = prepareMapping(1, copy?.source ?? sourceOf());
    return applyRecords(
      tx,
      { source: of, mapping, object, arrival: { via: 'page' }, now: now() },
      records,
    );
  });

const rowsOf = <Row>(query: ReturnType<typeof sql<Row>>) =>
  withWorkspace(db, workspaceId, async (tx) => (await query.execute(tx)).rows);

const contacts = () => rowsOf(sql<Contact>`select * from contact order by id`);
const accounts = () => rowsOf(sql<{ id: string; name: string }>`select * from account order by id`);
const links = () => rowsOf(sql<object>`select * from record_link order by pipedrive_id`);

const isDone = async (eventId: string) =>
  (await rowsOf(sql<object>`select 1 from inbox where event_id = ${eventId}`)).length > 0;
const isWaiting = async (eventId: string) =>
  (await rowsOf(sql<object>`select 1 from inbox_waiting where event_id = ${eventId}`)).length > 0;

const published = async (key: string) =>
  (
    await rowsOf(
      sql<{ body: { payload: { action: string; changedKeys: string[] } } }>`select body from outbox
        where key = ${key} order by id`,
    )
  ).map(({ body }) => body);
