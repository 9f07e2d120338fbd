import { expect, test } from 'vitest';
import { personOf } from '../../test/records.ts';
import {
  type Arrival,
  chooseHomes,
  isNewer,
  isStillGone,
  newestOfEach,
  organizationOf,
} from './rules.ts';

const second = (value: number) => new Date(value * 1_000);
const page: Arrival = { via: 'page' };
const webhook = (revision: number): Arrival => ({ via: 'webhook', revision });
const live = { update_time: second(5), webhook_ms: '5200', deleted_at: null, mapping_version: 1 };
const byPage = { ...live, webhook_ms: null };
const gone = { ...live, update_time: new Date(9_600), webhook_ms: '9600', deleted_at: second(10) };
const goneByPage = { ...gone, webhook_ms: null, update_time: second(9) };
const unread = { ...live, update_time: null, webhook_ms: null };

const taken = (link: Parameters<typeof isNewer>[0], updateTime: Date | null, arrival: Arrival) =>
  isNewer(link, { updateTime, arrival, mappingVersion: 1 });

test.each([
  ['a page of a later second', true, taken(live, second(6), page)],
  ['a page of an earlier second', false, taken(live, second(4), page)],
  ['a page of the second a webhook wrote', false, taken(live, second(5), page)],
  ['a page of the second a page wrote', true, taken(byPage, second(5), page)],
  ['a page without a time, over a webhook', false, taken(live, null, page)],
  ['a page without a time, over a page', true, taken(byPage, null, page)],
  ['a webhook of a later second, whatever its revision', true, taken(live, second(6), webhook(1))],
  [
    'a webhook of an earlier second, whatever its revision',
    false,
    taken(live, second(4), webhook(9_999)),
  ],
  [
    'a webhook of the same second and a later revision',
    true,
    taken(live, second(5), webhook(5_300)),
  ],
  ['a webhook of the same second and revision', false, taken(live, second(5), webhook(5_200))],
  ['a webhook of the same second, over a page', true, taken(byPage, second(5), webhook(1))],
  ['anything, over a record that was never read', true, taken(unread, second(1), page)],
  ['a late webhook, over a deletion', false, taken(gone, second(9), webhook(9_500))],
  ['a webhook after the deletion', true, taken(gone, second(9), webhook(9_700))],
  ['a page read before the deletion', false, taken(gone, second(9), page)],
  ['a page read after a restoration', true, taken(gone, second(11), page)],
  [
    'a late webhook, over a deletion seen in a page',
    false,
    taken(goneByPage, second(9), webhook(8_000)),
  ],
])('%s → taken: %s', (_, expected, actual) => {
  expect(actual).toBe(expected);
});

test('a page of the second a webhook wrote is taken when the mapping is newer than that', () => {
  expect(isNewer(live, { updateTime: second(5), arrival: page, mappingVersion: 2 })).toBe(true);
});

test.each([
  ['a deletion in the second of the last change', true, byPage, 5_600],
  ['a deletion after the last change', true, live, 9_000],
  ['a deletion before the last webhook', false, live, 5_100],
  ['a deletion told twice', false, gone, 9_600],
  ['a deletion before a restoration', false, { ...byPage, update_time: second(11) }, 9_600],
  ['a deletion of a record that was never read', true, unread, 1],
])('%s → followed: %s', (_, followed, link, revision) => {
  expect(isStillGone(link, revision)).toBe(followed);
});

test('a page that holds a record twice gives its newest state', () => {
  const states = [
    personOf(1, { second: 1 }),
    personOf(2),
    personOf(1, { second: 3 }),
    personOf(1, { second: 2 }),
  ];
  expect(newestOfEach(states)).toEqual([states[2], states[1]]);
});

test.each([
  [7, '7'],
  [null, null],
])('a person pointing at %s belongs to %s', (organization, expected) => {
  expect(organizationOf(personOf(1, { organization }))).toBe(expected);
});

test('a person that does not say where it belongs is left where it is', () => {
  expect(organizationOf({ ...personOf(1), fields: {} })).toBeUndefined();
});

test('of two unknown persons with one e-mail address only the first joins the contact', () => {
  const persons = [
    { pipedriveId: '1', email: 'a@b.c' },
    { pipedriveId: '2', email: 'a@b.c' },
    { pipedriveId: '3', email: '' },
  ];
  expect(chooseHomes(persons, [{ email: 'a@b.c', id: 'ct_1' }])).toEqual(new Map([['1', 'ct_1']]));
});
