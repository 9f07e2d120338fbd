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
  test.each([
    [
      'a service that is away',
      refusal('unavailable', 'service_unavailable'),
      0,
      'WAITING',
      'service_unavailable',
    ],
    [
      'the same for the hundredth time',
      refusal('unavailable', 'service_unavailable'),
      100,
      'WAITING',
      'service_unavailable',
    ],
    [
      'a disabled connection',
      refusal('precondition', 'connection_disabled'),
      0,
      'WAITING',
      'connection_disabled',
    ],
    ['a limit', refusal('limited', 'burst_limited'), 0, 'WAITING', 'burst_limited'],
    ['a refusal', refusal('invalid', 'pipedrive_refused'), 0, 'FAILED', 'pipedrive_refused'],
    [
      'a connection that is gone',
      refusal('not_found', 'record_not_found'),
      0,
      'FAILED',
      'record_not_found',
    ],
    [
      'a reason nobody knows',
      refusal('unavailable', 'moon_phase'),
      0,
      'WAITING',
      'service_unavailable',
    ],
    ['a failure of its own', new Error('boom'), 0, 'WAITING', 'handler_failed'],
    ['the same again and again', new Error('boom'), 8, 'FAILED', 'handler_failed'],
  ] as const)('%s → %4$s %5$s', (_, error, attempts, state, reason) => {
    expect(decideSetback(error, attempts, now)).toMatchObject({ state, reason });
  });

  test.each([
    [0, 1_000],
    [2, 5_000],
    [50, 30_000],
  ])('its failure number %i waits %i ms', (attempts, pause) => {
    const setback = decideSetback(new Error('boom'), Math.min(attempts, 7), now);
    const later = decideSetback(refusalOf(), attempts, now);
    expect([setback.state, later]).toMatchObject([
      'WAITING',
      { notBefore: new Date(now.getTime() + pause) },
    ]);
  });
  const refusalOf = () => refusal('unavailable', 'service_unavailable');
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
