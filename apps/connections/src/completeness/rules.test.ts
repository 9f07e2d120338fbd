import { expect, test } from 'vitest';
import { addToHash, EMPTY_HASH, knownHash } from './sweeping/hashing.ts';
import { decideWork, findGaps, isStillGap, nextDue, retryDelayMs, type Standing } from './rules.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, seconds));
const one = { id: '1', time: at(1) };
const two = { id: '2', time: at(2) };
const known = (id: string, seconds: number, deleted = false) => ({
  pipedrive_id: id,
  update_time: at(seconds),
  deleted,
});

test('a hash depends on the records and their times, not on their order', () => {
  const both = addToHash(EMPTY_HASH, [one, two]);
  expect(addToHash(addToHash(EMPTY_HASH, [two]), [one])).toBe(both);
  expect(addToHash(EMPTY_HASH, [one, { ...two, time: at(3) }])).not.toBe(both);
  expect(both).toMatch(/^[0-9a-f]{32}$/);
});

test('our hash is what we would have counted ourselves', () => {
  const theirs = addToHash(EMPTY_HASH, [one, two, { id: '3', time: at(3) }]);
  const gaps = [
    { pipedrive_id: '1', kind: 'missing' as const, pipedrive_time: at(1), known_time: null },
    { pipedrive_id: '2', kind: 'stale' as const, pipedrive_time: at(2), known_time: at(0) },
    { pipedrive_id: '4', kind: 'extra' as const, pipedrive_time: null, known_time: at(4) },
  ];
  const ours = [
    { id: '2', time: at(0) },
    { id: '3', time: at(3) },
    { id: '4', time: at(4) },
  ];
  expect(knownHash(theirs, gaps)).toBe(addToHash(EMPTY_HASH, ours));
  expect(knownHash(theirs, [])).toBe(theirs);
});

test.each([
  ['nobody was told of it', [], 'missing'],
  ['its deletion was told, and it is back', [known('1', 1, true)], 'missing'],
  ['an older state was told', [known('1', 0)], 'stale'],
])('a record is a gap when %s', (_, told, kind) => {
  expect(findGaps([one], told).map((gap) => gap.kind)).toEqual([kind]);
});

test('a record is no gap when this state or a newer one was told', () => {
  expect(findGaps([one], [known('1', 1)])).toEqual([]);
  expect(findGaps([one], [known('1', 9)])).toEqual([]);
});

test.each([
  ['missing, and its delivery came', 'missing', known('1', 1), false],
  ['missing, and still is', 'missing', undefined, true],
  ['stale, and its delivery came', 'stale', known('1', 1), false],
  ['stale, and was deleted since', 'stale', known('1', 5, true), false],
  ['stale, and still is', 'stale', known('1', 0), true],
  ['gone, and its deletion was told', 'extra', known('1', 5, true), false],
  ['gone, and still counts here', 'extra', known('1', 0), true],
] as const)('a record that was %s', (_, kind, ours, still) => {
  const pipedrive_time = kind === 'extra' ? null : at(1);
  const gap = { pipedrive_id: '1', kind, pipedrive_time, known_time: null };
  expect(isStillGap(gap, ours)).toBe(still);
});

const standing: Standing = {
  isNeeded: true,
  isReleasing: false,
  hasOpenCertificate: false,
  hasWaitingCertificate: false,
  judgeAt: null,
  isBuilt: true,
  sweepAt: at(30),
  verifyAt: at(50),
  now: at(10),
};
test.each([
  ['what nobody needs is released', { isNeeded: false }, 'release'],
  ['what is being emptied is emptied first', { isReleasing: true }, 'release'],
  ['what was never read is read first', { isBuilt: false, sweepAt: at(0) }, 'verify'],
  ['a comparison under way goes on', { hasOpenCertificate: true }, 'check'],
  [
    'while deliveries are awaited there is rest',
    { hasOpenCertificate: true, judgeAt: at(11) },
    'rest',
  ],
  ['and sweeping', { hasOpenCertificate: true, judgeAt: at(11), sweepAt: at(9) }, 'sweep'],
  ['a due comparison is begun', { verifyAt: at(10) }, 'verify'],
  ['one that waits is begun', { hasWaitingCertificate: true }, 'verify'],
  [
    'one that waits does so until the one that runs ends',
    { hasWaitingCertificate: true, hasOpenCertificate: true },
    'check',
  ],
  ['a due sweep is made', { sweepAt: at(10) }, 'sweep'],
  ['otherwise there is rest', {}, 'rest'],
] as const)('%s', (_, change, work) => {
  expect(decideWork({ ...standing, ...change })).toBe(work);
});

test('there is something to do again at the earliest of its times', () => {
  expect(nextDue(standing, 60_000)).toEqual(at(30));
  expect(nextDue(standing, 5_000)).toEqual(at(15));
  expect(nextDue({ ...standing, sweepAt: at(1) }, 60_000)).toEqual(at(10));
});

test('failures are tried again after longer and longer, at most a quarter of an hour', () => {
  expect([0, 1, 2, 60].map(retryDelayMs)).toEqual([2_000, 4_000, 8_000, 900_000]);
});
