import { ContactId, UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type ChangeDesk, openChangeDesk } from '../../test/changes.ts';
import { personOf } from '../../test/records.ts';
import { migrations } from '../migrations/index.ts';
import type { Contact, Tables } from '../store.ts';
import { setSubscription } from './commands.ts';

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

const withStatus = (id: number, status: string | undefined, second = 0) => {
  const person = personOf(id, { second });
  const marketing = status === undefined ? {} : { marketing_status: status };
  return { ...person, fields: { ...person.fields, ...marketing } };
};

test('a new contact follows the marketing status, or begins with e-mail alone (A4, OR-16, OR-31, OR-32)', async () => {
  await desk.page('person', [withStatus(1, 'subscribed'), withStatus(2, 'unsubscribed')]);
  await desk.change(withStatus(3, undefined), { action: 'created', revision: 1 });
  expect(await states()).toEqual([
    { email: 'subscribed by marketing_status', sms: 'unsubscribed by default' },
    { email: 'unsubscribed by marketing_status', sms: 'unsubscribed by default' },
    { email: 'subscribed by default', sms: 'unsubscribed by default' },
  ]);
});

test('a known contact keeps its permissions whatever Pipedrive says later (A5, OR-33)', async () => {
  await desk.page('person', [withStatus(1, 'subscribed')]);
  await desk.page('person', [withStatus(1, 'unsubscribed', 60)]);
  expect(await states()).toMatchObject([{ email: 'subscribed by marketing_status' }]);
});

test('what a person refuses no sync takes back, and it is said once (WX-14)', async () => {
  await desk.page('person', [withStatus(1, 'subscribed')]);
  const [contact] = await desk.contacts();
  await refuse(contact);
  await refuse(contact);
  await desk.change(withStatus(1, 'subscribed', 60), { revision: 60_000 });
  await desk.page('person', [withStatus(1, 'subscribed', 120)]);

  expect(await states()).toMatchObject([{ email: 'unsubscribed by person' }]);
  expect(await countEvents()).toBe(1);
});

test('what a person refused before being merged stays refused (WX-14)', async () => {
  await desk.page('person', [withStatus(1, 'subscribed'), withStatus(2, 'subscribed')]);
  const [leaving] = await desk.contacts();
  await refuse(leaving);
  await desk.change(withStatus(1, 'subscribed'), {
    ...{ action: 'merged', revision: 60_000, mergedInto: '2' },
  });
  expect(await states()).toMatchObject([{ email: 'unsubscribed by person' }]);
});

test('a contact of another workspace is answered like one that does not exist', async () => {
  const answer = { kind: 'not_found', detail: { field: 'input.contactId' } };
  await expect(refuse({ id: newId('ct', ContactId) })).rejects.toMatchObject(answer);
  await desk.page('person', [withStatus(1, 'subscribed')]);
  const [contact] = await desk.contacts();
  const elsewhere = await openChangeDesk({ db, nats, log: silentLog, eventually });
  const workspaceId = elsewhere.source.workspace_id;
  await elsewhere.close();
  await expect(refuse(contact, workspaceId)).rejects.toMatchObject(answer);
});

const refuse = (contact: Pick<Contact, 'id'> | undefined, workspaceId = desk.source.workspace_id) =>
  setSubscription(
    { db, now: () => new Date() },
    {
      origin: {
        workspaceId,
        actor: { kind: 'user', id: newId('us', UserId) },
        correlationId: 'test',
      },
      contactId: ContactId.parse(contact?.id),
      ...{ channel: 'email', permission: 'unsubscribed' },
    },
  );

/** By the contacts' Pipedrive records, in order. */
async function states(): Promise<Record<string, string>[]> {
  const contacts = await desk.contacts();
  return contacts
    .toSorted((one, other) => one.email.localeCompare(other.email))
    .map(({ subscriptions }) =>
      Object.fromEntries(
        Object.entries(subscriptions).map(([channel, { permission, by }]) => [
          channel,
          `${permission} by ${by}`,
        ]),
      ),
    );
}

async function countEvents(): Promise<number> {
  const { rows } = await desk.within((tx) =>
    sql`select from outbox where name like 'contacts.subscription_changed.%'`.execute(tx),
  );
  return rows.length;
}
