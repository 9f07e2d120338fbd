import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ChangeDesk, openChangeDesk } from '../../test/changes.ts';
import { migrations } from '../migrations/index.ts';
import { organizationOf, personOf } from '../../test/records.ts';
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

describe('a person deleted in Pipedrive', () => {
  test('takes its contact with it, and nothing late brings it back (WX-06, A12)', async () => {
    await desk.change(personOf(1), { action: 'created', revision: 1 });
    const [contact] = await desk.contacts();
    await desk.change(personOf(1), { action: 'deleted', revision: 10_000 });
    expect(await desk.contacts()).toEqual([]);
    expect((await desk.published(contact?.id ?? '')).at(-1)).toMatchObject({
      payload: { action: 'deleted' },
    });

    await desk.change(personOf(1, { name: 'Late', second: 9 }), { revision: 9_000 });
    await desk.page('person', [personOf(1, { name: 'Late', second: 9 })]);
    expect(await desk.contacts()).toEqual([]);
  });

  test('before it was ever seen stays away as well', async () => {
    await desk.change(personOf(1), { action: 'deleted', revision: 10_000 });
    await desk.page('person', [personOf(1, { second: 9 })]);
    await desk.change(personOf(1, { second: 9 }), { action: 'created', revision: 9_000 });
    expect(await desk.contacts()).toEqual([]);
  });

  test('and restored afterwards is here again', async () => {
    await desk.change(personOf(1), { action: 'created', revision: 1 });
    await desk.change(personOf(1), { action: 'deleted', revision: 10_000 });
    await desk.change(personOf(1, { name: 'Back', second: 11 }), { revision: 11_000 });
    expect(await desk.contacts()).toMatchObject([{ name: 'Back' }]);
  });

  test('stays a contact while another connection has it; only what came from the deleted one goes (A12)', async () => {
    const other = await desk.openSource({ rows: ['1', '2', '5'] });
    await desk.change(personOf(1, { email: 'ada@example.com' }), {
      action: 'created',
      revision: 1,
    });
    await desk.page('person', [personOf(77, { name: 'Ada', email: 'ADA@example.com' })], other);
    const [contact] = await desk.contacts();
    expect(contact).toMatchObject({
      name: 'Ada',
      values: { industry: 'Farming', budget: { amount: 10 } },
    });

    await desk.change(personOf(1), { action: 'deleted', revision: 10_000 });

    const [left] = await desk.contacts();
    expect(left).toMatchObject({
      id: contact?.id,
      name: 'Ada',
      email: 'ada@example.com',
      phone: '',
    });
    expect(Object.keys(left?.values ?? {}).toSorted()).toEqual(['email', 'industry', 'name']);
    expect((await desk.published(left?.id ?? '')).at(-1)).toMatchObject({
      payload: { action: 'detached', changedKeys: ['phone', 'budget', 'emails'] },
    });
  });
});

describe('a person merged in Pipedrive', () => {
  test('into one that is here leaves one contact, and its link leads to the survivor', async () => {
    await desk.change(personOf(1), { action: 'created', revision: 1 });
    await desk.change(personOf(2, { name: 'Survivor' }), { action: 'created', revision: 1 });
    await desk.change(personOf(1), { action: 'merged', revision: 9_000, mergedInto: '2' });
    await desk.change(personOf(1), { action: 'deleted', revision: 9_100 });

    const [survivor, ...others] = await desk.contacts();
    expect(survivor).toMatchObject({ name: 'Survivor' });
    expect(others).toEqual([]);
    expect(await desk.links()).toMatchObject([
      { pipedrive_id: '1', entity_id: survivor?.id, deleted_at: expect.any(Date) },
      { pipedrive_id: '2', entity_id: survivor?.id, deleted_at: null },
    ]);
  });

  test('into one that is not here yet hands its contact over', async () => {
    await desk.change(personOf(1), { action: 'created', revision: 1 });
    const [contact] = await desk.contacts();
    await desk.change(personOf(1), { action: 'merged', revision: 9_000, mergedInto: '2' });
    await desk.change(personOf(2, { name: 'Survivor', second: 8 }), { revision: 8_000 });

    expect(await desk.contacts()).toMatchObject([{ id: contact?.id, name: 'Survivor' }]);
  });
});

describe('an organization', () => {
  test('that is deleted leaves its persons without an account, until it is restored', async () => {
    await desk.page('organization', [organizationOf(5)]);
    await desk.page('person', [personOf(1, { organization: 5 })]);
    await desk.change(organizationOf(5), { action: 'deleted', revision: 9_000 });
    expect(await desk.accounts()).toEqual([]);
    expect(await desk.contacts()).toMatchObject([{ account_id: null }]);

    await desk.change(organizationOf(5, 12), { revision: 12_000 });
    const [account] = await desk.accounts();
    expect(await desk.contacts()).toMatchObject([{ account_id: account?.id }]);
  });

  test('that is merged hands its persons to the survivor', async () => {
    await desk.page('organization', [organizationOf(5), organizationOf(6)]);
    await desk.page('person', [personOf(1, { organization: 5 })]);
    await desk.change(organizationOf(5), { action: 'merged', revision: 9_000, mergedInto: '6' });

    const [account, ...others] = await desk.accounts();
    expect([account?.name, others]).toEqual(['Organization 6', []]);
    expect(await desk.contacts()).toMatchObject([{ account_id: account?.id }]);
  });
});
