import { expect, test } from 'vitest';
import { personOf } from '../neighbours.fixture.ts';
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

test.each([
  ['a page of a later second', live, second(6), page, true],
  ['a page of an earlier second', live, second(4), page, false],
  ['a page of the second a webhook wrote', live, second(5), page, false],
  ['a page of the second a page wrote', byPage, second(5), page, true],
  ['a page without a time, over a webhook', live, null, page, false],
  ['a page without a time, over a page', byPage, null, page, true],
  ['a webhook of a later second, whatever its revision', live, second(6), webhook(1), true],
  ['a webhook of an earlier second, whatever its revision', live, second(4), webhook(9_999), false],
  ['a webhook of the same second and a later revision', live, second(5), webhook(5_300), true],
  ['a webhook of the same second and revision', live, second(5), webhook(5_200), false],
  ['a webhook of the same second, over a page', byPage, second(5), webhook(1), true],
  ['anything, over a record that was never read', unread, second(1), page, true],
  ['a late webhook, over a deletion', gone, second(9), webhook(9_500), false],
  ['a webhook after the deletion', gone, second(9), webhook(9_700), true],
  ['a page read before the deletion', gone, second(9), page, false],
  ['a page read after a restoration', gone, second(11), page, true],
  ['a late webhook, over a deletion seen in a page', goneByPage, second(9), webhook(8_000), false],
])('%s → taken: %5$s', (_, link, updateTime, arrival, taken) => {
  expect(isNewer(link, { updateTime, arrival, mappingVersion: 1 })).toBe(taken);
});

test('a page of the second a webhook wrote is taken when the mapping is newer than that', () => {
  expect(isNewer(live, { updateTime: second(5), arrival: page, mappingVersion: 2 })).toBe(true);
});

test.each([
  ['a deletion in the second of the last change', { ...byPage }, 5_600, true],
  ['a deletion after the last change', live, 9_000, true],
  ['a deletion before the last webhook', live, 5_100, false],
  ['a deletion told twice', gone, 9_600, false],
  ['a deletion before a restoration', { ...byPage, update_time: second(11) }, 9_600, false],
  ['a deletion of a record that was never read', unread, 1, true],
])('%s → followed: %3$s', (_, link, revision, followed) => {
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
