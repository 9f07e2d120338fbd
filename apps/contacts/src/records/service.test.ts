import { ConnectionId, EventId, MappingPublished } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ChangeDesk, openChangeDesk } from '../../test/changes.ts';
import { migrations } from '../migrations/index.ts';
import { organizationOf, personOf, sourceOf } from '../../test/records.ts';
import type { Tables } from '../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
let desk: ChangeDesk;
beforeEach(async () => {
  desk = await openChangeDesk({ db, nats, log: silentLog, eventually });
});
afterEach(() => desk.close());
afterAll(async () => {
  await drop();
  await stop();
});

describe('a person changed in Pipedrive', () => {
  test('is created and changed here, and the events name keys, never values (WX-01, WX-02)', async () => {
    await desk.change(personOf(1), { action: 'created', revision: 1 });
    const changed = await desk.change(personOf(1, { name: 'Zoë Q', second: 5 }), {
      revision: 5_000,
    });

    const [contact] = await desk.contacts();
    expect(contact).toMatchObject({ name: 'Zoë Q', email: 'person1@example.com' });
    const events = await desk.published(contact?.id ?? '');
    expect(events.map(({ payload }) => [payload.action, payload.changedKeys])).toEqual([
      ['created', ['name', 'email', 'emails', 'phone', 'industry', 'budget']],
      ['updated', ['name']],
    ]);
    expect(events[1]).toMatchObject({ correlationId: 'from-a-webhook', causationId: changed });
    expect(JSON.stringify(events)).not.toMatch(/Zoë|example\.com/i);
  });

  test('without any change to what is mapped writes nothing and says nothing', async () => {
    await desk.change(personOf(1), { action: 'created', revision: 1 });
    const before = await desk.contacts();
    await desk.change({ ...personOf(1, { second: 9 }) }, { revision: 9_000 });

    expect(await desk.contacts()).toEqual(before);
    expect(await desk.published(before[0]?.id ?? '')).toHaveLength(1);
  });

  test.each([
    ['an older second', { second: 4, revision: 9_999_999 }],
    ['the same second and an older revision', { second: 5, revision: 5_100 }],
    ['the same revision once more', { second: 5, revision: 5_200 }],
  ])('keeps its newest state when %s comes after it', async (_, { second, revision }) => {
    await desk.change(personOf(1, { name: 'Newest', second: 5 }), { revision: 5_200 });
    await desk.change(personOf(1, { name: 'Late', second }), { revision });

    expect(await desk.contacts()).toMatchObject([{ name: 'Newest' }]);
  });

  test('twice in one second ends as the second change left it', async () => {
    await desk.change(personOf(1, { name: 'First', second: 5 }), { revision: 5_100 });
    await desk.change(personOf(1, { name: 'Second', second: 5 }), { revision: 5_200 });

    expect(await desk.contacts()).toMatchObject([{ name: 'Second' }]);
  });

  test('is not put back by a page of the same second or an older one, but by a newer one', async () => {
    await desk.change(personOf(1, { name: 'By webhook', second: 5 }), { revision: 5_200 });
    for (const second of [4, 5]) {
      const [applied] = await desk.page('person', [personOf(1, { name: 'By page', second })]);
      expect(applied).toMatchObject({ outcome: 'skipped', reason: 'superseded_by_newer' });
    }
    expect(await desk.contacts()).toMatchObject([{ name: 'By webhook' }]);

    await desk.page('person', [personOf(1, { name: 'By page', second: 6 })]);
    expect(await desk.contacts()).toMatchObject([{ name: 'By page' }]);
  });

  test('is read from Pipedrive when its webhook is no longer kept', async () => {
    desk.neighbours.records.person = [personOf(1, { name: 'As it is now', second: 7 })];
    await desk.change(null, { revision: 5_000 });

    expect(await desk.contacts()).toMatchObject([{ name: 'As it is now' }]);
  });

  test('while connections is away is brought when it is back', async () => {
    await desk.neighbours.stop();
    const receipt = desk.neighbours.keep(personOf(1));
    const event = await desk.send({ receiptId: receipt, pipedriveId: '1', revision: 1 });
    await eventually(async () => expect(await desk.isWaiting(event)).toBe(true));
    desk.neighbours.restart();

    const isBrought = async () => expect(await desk.contacts()).toHaveLength(1);
    await eventually(isBrought, { timeoutMs: 12_000 });
  });

  test('with a name no database holds as it is loses only what cannot be held', async () => {
    await desk.change(personOf(1, { name: `A\0\\u0000${'😀'.repeat(130)}` }), { revision: 1 });
    const [contact] = await desk.contacts();
    expect(contact?.name).toMatch(/^A\\u0000(😀)+$/u);
    expect(contact?.values['name']).toBe(`A\\u0000${'😀'.repeat(130)}`);
  });

  test('and told through another connection to the company is brought to the sources of all it names', async () => {
    const connectionId = newId('cn', ConnectionId);
    const told = { connectionId, action: 'created', revision: 1 } as const;
    await desk.change(personOf(1), told);
    expect(await desk.contacts()).toEqual([]);
    const named = { ...told, otherConnectionIds: [desk.source.connection_id] };
    await desk.change(personOf(2), named);
    expect(await desk.contacts()).toMatchObject([{ email: 'person2@example.com' }]);
  });

  test('of a connection without an active source changes nothing', async () => {
    await desk.within((tx) => sql`update data_source set state = 'ARCHIVED'`.execute(tx));
    await desk.change(personOf(1), { action: 'created', revision: 1 });
    expect(await desk.contacts()).toEqual([]);
  });

  test('goes through the newest published mapping, from its publication on (WX-07)', async () => {
    await desk.change(personOf(1, { name: 'Ada' }), { revision: 1 });
    const mapping = sourceOf();
    const rows = mapping.rows.filter(({ target }) => target.field !== 'phone');
    desk.neighbours.mapping = { version: 2, source: { ...mapping, rows } };
    await desk.sendEvent(MappingPublished.name, {
      mappingId: desk.source.mapping_id,
      version: 2,
      connectionId: desk.source.connection_id,
      purpose: 'CONTACTS_FROM_PIPEDRIVE',
      hash: 'f'.repeat(64),
    });

    await desk.change(personOf(2, { name: 'Bob' }), { revision: 1 });
    expect((await desk.contacts()).map(({ name, phone }) => [name, phone])).toEqual([
      ['Ada', '+49 30 1'],
      ['Bob', ''],
    ]);
  });
});

describe('an organization', () => {
  test('that comes after its persons becomes their account', async () => {
    await desk.change(personOf(1, { organization: 5 }), { action: 'created', revision: 1 });
    expect(await desk.contacts()).toMatchObject([{ account_id: null }]);
    await desk.change(organizationOf(5), { action: 'created', revision: 1 });

    const [account] = await desk.accounts();
    expect(await desk.contacts()).toMatchObject([{ account_id: account?.id }]);
  });

  test('stored side by side with its person, page against page, never misses it', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => index + 1);
    await Promise.all(
      ids.flatMap((id) => [
        desk.page('person', [personOf(id, { organization: id })]),
        desk.page('organization', [organizationOf(id)]),
      ]),
    );
    const all = await desk.contacts();
    expect(all).toHaveLength(40);
    expect(all.filter(({ account_id }) => account_id === null)).toEqual([]);
  });
});

test('a record that page and webhook bring at the same moment becomes one contact', async () => {
  const people = Array.from({ length: 50 }, (_, index) => personOf(index + 1));
  await Promise.all([
    desk.page('person', people),
    desk.page('person', people.toReversed()),
    ...people.slice(0, 10).map((person) => desk.page('person', [person])),
  ]);
  expect(await desk.contacts()).toHaveLength(50);
});

test('a delivery that comes twice is handled once', async () => {
  const payload = { receiptId: desk.neighbours.keep(personOf(1)), pipedriveId: '1', revision: 1 };
  const id = newId('ev', EventId);
  await desk.send(payload, id);
  await eventually(async () => expect(await desk.contacts()).toHaveLength(1));
  await desk.send(payload, id);
  await desk.change(personOf(2), { revision: 2 });
  expect(await desk.published((await desk.contacts())[0]?.id ?? '')).toHaveLength(1);
});
