import { Refusal, type RefusalKind } from '@manifold/errors';
import { describe, expect, test } from 'vitest';
import {
  addCounts,
  addSample,
  decideKind,
  decideSetback,
  nextPosition,
  outcomeCounts,
  progressOf,
} from './rules.ts';

const now = new Date('2026-03-01T12:00:00Z');

test.each([
  ['organization', 'next', { object: 'organization', cursor: 'next' }],
  ['organization', null, { object: 'person', cursor: null }],
  ['person', 'next', { object: 'person', cursor: 'next' }],
  ['person', null, undefined],
] as const)('after a page of %ss with cursor %s', (object, cursor, next) => {
  expect(nextPosition({ object, cursor: 'this' }, cursor)).toEqual(next);
});

describe('a run reads', () => {
  const last = { mapping_version: 2, started_at: new Date('2026-03-01T10:00:00.500Z') };
  test.each([
    ['everything when none succeeded before', undefined, 2, 'INITIAL'],
    ['everything with a new mapping', last, 3, 'INITIAL'],
    ['what changed otherwise (OR-42)', last, 2, 'INCREMENTAL'],
  ] as const)('%s', (_, previous, version, kind) => {
    expect(decideKind(previous, version).kind).toBe(kind);
  });

  test('from two minutes before the last one began, in whole seconds', () => {
    expect(decideKind(last, 2).updated_since).toEqual(new Date('2026-03-01T09:58:00Z'));
  });
});

describe('progress', () => {
  const samples = [
    { at: 0, done: 0 },
    { at: 2_000, done: 1_000 },
  ];
  const run = { done: 1_000, total: 3_000, samples, state: 'RUNNING' } as const;
  test.each([
    ['a running run', run, { ratePerSecond: 500, remainingSeconds: 4 }],
    [
      'one of unknown size',
      { ...run, total: null },
      { ratePerSecond: 500, remainingSeconds: null },
    ],
    [
      'one that has not stored a page',
      { ...run, samples: [] },
      { ratePerSecond: null, remainingSeconds: null },
    ],
    [
      'a waiting one',
      { ...run, state: 'WAITING' },
      { ratePerSecond: null, remainingSeconds: null },
    ],
    [
      'one that succeeded',
      { ...run, state: 'SUCCEEDED' },
      { ratePerSecond: null, remainingSeconds: 0 },
    ],
    [
      'one that found more than was counted',
      { ...run, total: 900 },
      { total: 1_000, remainingSeconds: 0 },
    ],
  ] as const)('of %s', (_, of, expected) => {
    expect(progressOf(of)).toMatchObject(expected);
  });

  test('is measured over the last ten seconds, and over slow pages too', () => {
    const old = [1, 2, 3].map((second) => ({ at: second * 1_000, done: second }));
    expect(addSample(old, { at: 12_500, done: 9 })).toEqual([old[2], { at: 12_500, done: 9 }]);
    expect(addSample(old, { at: 60_000, done: 9 })).toEqual([old[2], { at: 60_000, done: 9 }]);
  });
});

describe('a run that meets', () => {
  const refusal = (kind: RefusalKind, reason: string) => new Refusal(kind, 'no', { reason });
  const away = refusal('unavailable', 'service_unavailable');
  test.each([
    ['a service that is away', 'WAITING service_unavailable', away, 0],
    ['the same for the hundredth time', 'WAITING service_unavailable', away, 100],
    [
      'a disabled connection',
      'WAITING connection_disabled',
      refusal('precondition', 'connection_disabled'),
      0,
    ],
    ['a limit', 'WAITING burst_limited', refusal('limited', 'burst_limited'), 0],
    ['a refusal', 'FAILED pipedrive_refused', refusal('invalid', 'pipedrive_refused'), 0],
    [
      'a connection that is gone',
      'FAILED record_not_found',
      refusal('not_found', 'record_not_found'),
      0,
    ],
    [
      'a reason nobody knows',
      'WAITING service_unavailable',
      refusal('unavailable', 'moon_phase'),
      0,
    ],
    ['a failure of its own', 'WAITING handler_failed', new Error('boom'), 0],
    ['the same again and again', 'FAILED handler_failed', new Error('boom'), 8],
  ] as const)('%s → %s', (_, expected, error, attempts) => {
    const { state, reason } = decideSetback(error, attempts, now);
    expect(`${state} ${reason}`).toBe(expected);
  });

  test.each([
    [0, 1_000],
    [2, 5_000],
    [50, 30_000],
  ])('a service that is away, after %i failures, looks again in %i ms', (attempts, pause) => {
    expect(decideSetback(away, attempts, now)).toMatchObject({
      notBefore: new Date(now.getTime() + pause),
    });
  });
});

test('counts add up by outcome and reason, and events carry every outcome', () => {
  const counts = addCounts({ created: 2 }, ['created', 'skipped', 'superseded_by_newer']);
  expect(counts).toEqual({ created: 3, skipped: 1, superseded_by_newer: 1 });
  expect(outcomeCounts(counts)).toEqual({
    created: 3,
    updated: 0,
    unchanged: 0,
    deleted: 0,
    skipped: 1,
  });
});
