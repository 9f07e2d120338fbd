import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ChangeDesk, openChangeDesk } from '../../test/changes.ts';
import { organizationOf, personOf } from '../../test/records.ts';
import { migrations } from '../migrations/index.ts';
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

/** A sweep has no time of its own: it tells with the record's, or one above what it told before. */
const SECOND = 1_000;

describe('a change no webhook told of, found by a sweep', () => {
  test('creates and changes a contact as a webhook does, and says so (WX-02)', async () => {
    await desk.change(personOf(1, { second: 3 }), { action: 'created', revision: 3 * SECOND });
    await desk.change(personOf(1, { name: 'Swept', second: 9 }), { revision: 9 * SECOND });

    const [contact] = await desk.contacts();
    expect(contact).toMatchObject({ name: 'Swept', email: 'person1@example.com' });
    const events = await desk.published(contact?.id ?? '');
    expect(events.map(({ payload }) => [payload.action, payload.changedKeys])).toEqual([
      ['created', ['name', 'email', 'emails', 'phone', 'industry', 'budget']],
      ['updated', ['name']],
    ]);
  });

  test('goes on top of what a webhook of the second before told, one above its revision', async () => {
    await desk.change(personOf(1, { second: 5 }), { action: 'created', revision: 7_400 });
    await desk.change(personOf(1, { name: 'Swept', second: 6 }), { revision: 7_401 });
    expect(await desk.contacts()).toMatchObject([{ name: 'Swept' }]);
  });

  test('changes nothing where a run read it already, and yields to a webhook that comes late', async () => {
    await desk.page('person', [personOf(1, { name: 'Read', second: 5 })]);
    await desk.change(personOf(1, { name: 'Read', second: 5 }), { revision: 5 * SECOND });
    const [contact] = await desk.contacts();
    expect(await desk.published(contact?.id ?? '')).toEqual([]);

    await desk.change(personOf(1, { name: 'Late', second: 5 }), { revision: 5_700 });
    expect(await desk.contacts()).toMatchObject([{ id: contact?.id, name: 'Late' }]);
  });

  test('is a deletion, nobody knows when: the contact goes, and a record restored is here again (WX-06)', async () => {
    await desk.change(organizationOf(5), { action: 'created', revision: 1 });
    await desk.page('person', [personOf(1, { organization: 5 })]);
    const gone = { ...personOf(1, { second: 60 }), deleted: true, fields: {} };
    await desk.change(gone, { action: 'deleted', revision: 60 * SECOND });
    expect(await desk.contacts()).toEqual([]);

    const back = personOf(1, { name: 'Back', organization: 5, second: 50 });
    await desk.change(back, { action: 'created', revision: 60 * SECOND + 1 });
    const [account] = await desk.accounts();
    expect(await desk.contacts()).toMatchObject([{ name: 'Back', account_id: account?.id }]);
  });

  test('is read from Pipedrive when what the sweep read is no longer kept', async () => {
    desk.neighbours.records.person = [personOf(1, { name: 'As it is now', second: 7 })];
    await desk.change(null, { action: 'created', revision: 5 * SECOND });
    expect(await desk.contacts()).toMatchObject([{ name: 'As it is now' }]);
  });
});
