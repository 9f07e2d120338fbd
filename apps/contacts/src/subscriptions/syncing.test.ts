import { ContactId, MappingSource, type PipedriveRecord } from '@manifold/contracts';
import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { personOf, sourceOf } from '../../test/records.ts';
import { type Desk, openDesk } from '../../test/sync.ts';
import { migrations } from '../migrations/index.ts';
import type { Contact, Tables } from '../store.ts';
import { setSubscription } from './commands.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
let desk: Desk;
beforeEach(() => {
  desk = openDesk({ db, nats, log: silentLog, eventually });
});
afterEach(() => desk.close());
afterAll(async () => {
  await drop();
  await stop();
});

const person = (id: number, email: string, fields: Record<string, unknown>): PipedriveRecord => {
  const plain = personOf(id, { email });
  return { ...plain, fields: { ...plain.fields, ...fields } as PipedriveRecord['fields'] };
};

test('a known contact keeps both permissions under any strategy, a new one follows its marketing status (5.2)', async () => {
  desk.neighbours.records.person = [
    person(1, 'ana@x.test', { name: 'Anna', marketing_status: 'subscribed' }),
  ];
  await desk.sync((await desk.openSource()).id);
  await say(await contactOf('ana@x.test'), 'sms', 'subscribed');
  desk.neighbours.mapping.source.policy.existing = 'overwrite';
  desk.neighbours.mapping = { ...desk.neighbours.mapping, version: 2 };
  desk.neighbours.records.person = [
    person(1, 'ana@x.test', { name: 'Ana', marketing_status: 'unsubscribed' }),
    person(2, 'bo@x.test', { marketing_status: 'unsubscribed' }),
  ];
  await desk.sync((await desk.openSource()).id);

  const anna = await contactOf('ana@x.test');
  expect(permissionsOf(anna)).toEqual({ email: 'subscribed', sms: 'subscribed' });
  const bo = await contactOf('bo@x.test');
  expect(permissionsOf(bo)).toEqual({ email: 'unsubscribed', sms: 'unsubscribed' });
});

test('a filled phone number subscribes to SMS and Viber where the mapping says so, and a later refusal stays (5.5, WX-12, WX-13, WX-14)', async () => {
  mapPhonesTo('sms', 'viber');
  const eva = person(1, 'eva@x.test', {});
  const ida = person(3, 'ida@x.test', { phones: [] });
  desk.neighbours.records.person = [eva, ida];
  const source = await desk.openSource();
  await desk.sync(source.id);
  const before = await contactOf('eva@x.test');
  expect(permissionsOf(before)).toMatchObject({ sms: 'subscribed', viber: 'subscribed' });
  expect(permissionsOf(await contactOf('ida@x.test'))).toEqual({ email: 'subscribed' });

  await say(before, 'sms', 'unsubscribed');
  const updateTime = new Date(Date.now() + 1_000).toISOString();
  desk.neighbours.records.person = [
    { ...eva, updateTime, fields: { ...eva.fields, name: 'Eva B' } },
    { ...ida, updateTime, fields: { ...ida.fields, phones: personOf(3).fields['phones'] ?? null } },
  ];
  const run = await desk.sync(source.id);
  expect(run.counts).toEqual({ updated: 2 });
  const after = await contactOf('eva@x.test');
  expect(after).toMatchObject({ name: 'Eva B', subscriptions: { sms: { by: 'person' } } });
  expect(permissionsOf(after)).toMatchObject({ sms: 'unsubscribed', viber: 'subscribed' });
  // nobody was asked about SMS and Viber before there was a number
  expect(permissionsOf(await contactOf('ida@x.test'))).toEqual({
    ...{ email: 'subscribed', sms: 'subscribed', viber: 'subscribed' },
  });
});

function mapPhonesTo(...channels: string[]): void {
  const rows = channels.map((channel) => ({
    id: `permission-${channel}`,
    source: { object: 'person', field: 'phones' },
    target: { object: 'permission', field: channel },
  }));
  const whole = sourceOf();
  const source = MappingSource.parse({ ...whole, rows: [...whole.rows, ...rows] });
  desk.neighbours.mapping = { version: 1, source };
}

const say = (
  { id }: Contact,
  channel: 'sms' | 'viber',
  permission: 'subscribed' | 'unsubscribed',
) => {
  const contactId = ContactId.parse(id);
  return setSubscription(desk.deps, { origin: desk.origin, contactId, channel, permission });
};

const contactOf = (email: string) =>
  desk.within((tx) =>
    tx.selectFrom('contact').selectAll().where('email', '=', email).executeTakeFirstOrThrow(),
  );

const permissionsOf = ({ subscriptions }: Contact) =>
  Object.fromEntries(
    Object.entries(subscriptions).map(([channel, { permission }]) => [channel, permission]),
  );
