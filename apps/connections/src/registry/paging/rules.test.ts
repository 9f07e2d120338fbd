import type { PipedriveRecord } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { compareIds, joinPage, OVERLAP, placeAfterPage, readPlace, writePlace } from './rules.ts';

const record = (id: number): PipedriveRecord => ({
  ...{ object: 'note', id: String(id), updateTime: null, addTime: null },
  ...{ deleted: false, fields: {} },
});
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => record(from + index));
const limit = 500;
const ids = (joining: ReturnType<typeof joinPage>) =>
  joining.outcome === 'joined' ? joining.records.map(({ id }) => Number(id)) : joining;

test('ids are in the order of numbers, and UUIDs in the order of their letters', () => {
  const uuids = ['b-1', 'a-9', 'a-1'];
  expect(['10', '9', '2'].toSorted(compareIds)).toEqual(['2', '9', '10']);
  expect(uuids.toSorted(compareIds)).toEqual(['a-1', 'a-9', 'b-1']);
});

test('a page brings what comes after the pages before it, each record once', () => {
  const first = joinPage(range(1, 500), { start: 0, lastId: '0', limit });
  expect(first).toMatchObject({ outcome: 'joined', nextStart: 500 - OVERLAP });
  const second = joinPage(range(451, 600), { start: 450, lastId: '500', limit });
  expect(ids(second)).toEqual(range(501, 600).map(({ id }) => Number(id)));
});

test('as many records as pages overlap may go meanwhile, and none after them is passed over', () => {
  // ten of the first page went: the page by offset begins ten later
  const second = joinPage(range(461, 700), { start: 450, lastId: '500', limit });
  expect(ids(second)).toEqual(range(501, 700).map(({ id }) => Number(id)));
});

test.each([
  ['begins after the end of the one before', range(502, 700)],
  ['is empty', []],
])('a page that %s is not taken: it is read from further back', (_, page) => {
  expect(joinPage(page, { start: 950, lastId: '500', limit })).toEqual({
    outcome: 'shifted',
    nextStart: 450,
  });
});

test('the first page is taken as it is, and so is one read again from the start', () => {
  expect(ids(joinPage(range(30, 31), { start: 0, lastId: '0', limit }))).toEqual([30, 31]);
  expect(ids(joinPage(range(502, 503), { start: 0, lastId: '500', limit }))).toEqual([502, 503]);
});

test('a list in another order says nothing', () => {
  const page = [record(2), record(10), record(3)];
  expect(joinPage(page, { start: 0, lastId: '0', limit })).toEqual({ outcome: 'disordered' });
});

const at = (ms: number) => new Date(ms);

test('changes are read on from the second of the last one, and within one second by offset', () => {
  const place = { since: at(5_000), start: 0 };
  expect(placeAfterPage(place, { length: 500, lastTime: at(9_700) })).toEqual({
    since: at(9_000),
    start: 0,
  });
  expect(placeAfterPage(place, { length: 500, lastTime: at(5_900) })).toEqual({
    since: at(5_000),
    start: 450,
  });
  expect(placeAfterPage(place, { length: 1, lastTime: at(5_000) }).start).toBe(1);
});

test('a place is read as it was written, and nothing else is one', () => {
  const place = { since: at(5_000), start: 450 };
  expect(readPlace(writePlace(place))).toEqual(place);
  expect(['', 'abc=', '2026-01-01T00:00:00.000Z', '|5'].map(readPlace)).toEqual(
    [1, 2, 3, 4].map(() => undefined),
  );
});
