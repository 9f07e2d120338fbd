import type { PipedriveRecord } from '@manifold/contracts';
import type { Failure } from '@manifold/pipedrive';
import { describe, expect, test } from 'vitest';
import type { StepEffect } from '../tables.ts';
import {
  decideFailure,
  decideUnforeseen,
  decideVerified,
  mayCreateAgain,
  retryDelayMs,
  urlOf,
} from './rules.ts';
import { decideStartOver } from './starting-over/rules.ts';

const missingScope = {
  outcome: 'scope_missing',
  ...{ feature: 'WRITE_LEADS', scopes: ['leads:full'], fix: 'Connect with the app writer.' },
} as const;

describe('after a call that failed', () => {
  const refused = (status: number, fieldCode?: string): Failure => ({
    outcome: 'refused',
    status,
    message: 'Validation failed',
    ...(fieldCode === undefined ? {} : { fieldCode }),
  });
  test.each<[string, Failure, StepEffect | undefined, object]>([
    [
      'refused for good parks',
      refused(400),
      'created',
      { decision: 'park', reason: 'pipedrive_refused' },
    ],
    [
      'refused search parks',
      refused(400),
      undefined,
      { decision: 'park', reason: 'pipedrive_refused' },
    ],
    ['update of a record that is gone starts over', refused(404), 'updated', { decision: 'gone' }],
    ['create refused with 404 parks', refused(404), 'created', { decision: 'park' }],
    [
      'missing scope parks',
      { outcome: 'scope_missing' },
      'created',
      { decision: 'park', reason: 'scope_missing', fix: expect.stringMatching(/Add.*redrive/) },
    ],
    [
      'missing scope that is known parks with its name and the way out',
      missingScope,
      'created',
      {
        cause: 'The connection lacks a permission for WRITE_LEADS (leads:full).',
        fix: 'Connect with the app writer. Then use redrive.',
      },
    ],
    [
      'spent day waits as long as told',
      { outcome: 'limited', kind: 'daily', retryAfterMs: 900_000 },
      'created',
      { decision: 'again', reason: 'budget_spent', delayMs: 900_000, counts: false },
    ],
    [
      'full window waits',
      { outcome: 'limited', kind: 'burst', retryAfterMs: 2_000 },
      'created',
      { decision: 'again', reason: 'burst_limited', counts: false },
    ],
    [
      'block stops for a while',
      { outcome: 'blocked' },
      'created',
      { decision: 'again', reason: 'pipedrive_blocked', delayMs: 60_000 },
    ],
    [
      'rejected token waits for the connection',
      { outcome: 'unauthorized' },
      'created',
      { decision: 'again', reason: 'connection_needs_reauth', counts: false },
    ],
    [
      'write that was never sent is tried again',
      { outcome: 'not_sent', cause: 'ECONNREFUSED' },
      'created',
      { decision: 'again', reason: 'pipedrive_unreachable', counts: true },
    ],
    [
      'read without an answer is tried again',
      { outcome: 'unavailable', cause: 'http_502' },
      undefined,
      { decision: 'again', counts: true },
    ],
    [
      'write of unknown end settles',
      { outcome: 'unknown', cause: 'ECONNRESET' },
      'created',
      { decision: 'settle' },
    ],
  ])('%s', (_, failure, isWriteOf, decision) => {
    expect(decideFailure(failure, { attempts: 0, isWriteOf })).toMatchObject(decision);
  });

  test('the field Pipedrive names stands in the cause', () => {
    expect(decideFailure(refused(400, 'abc'), { attempts: 0, isWriteOf: 'created' })).toMatchObject(
      {
        cause: expect.stringContaining('abc'),
      },
    );
  });
});

test('pauses grow and stay bounded', () => {
  const pauses = [0, 1, 2, 3, 4, 5, 6, 100].map(retryDelayMs);
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  expect(pauses.at(-1)).toBe(60_000);
});

test.each([
  ['answer_unreadable', 'pipedrive_unreachable'],
  ['too_many_hits', 'index_needed'],
  ['index_reader_sees_less', 'index_needed'],
])(
  'a read that never can succeed is tried ten times, then given to a person: %s',
  (cause, reason) => {
    const failure = { outcome: 'unavailable', cause } as const;
    const decide = (attempts: number) => decideFailure(failure, { attempts, isWriteOf: undefined });
    expect(decide(9)).toMatchObject({ decision: 'again', counts: true });
    expect(decide(10)).toMatchObject({ decision: 'park', reason });
  },
);

test('while Pipedrive cannot be reached a step waits for as long as it takes', () => {
  const failure = { outcome: 'unavailable', cause: 'timeout' } as const;
  const decided = decideFailure(failure, { attempts: 999, isWriteOf: undefined });
  expect(decided).toMatchObject({ decision: 'again' });
});

test('what has to start over does so ever later, three times in a row, then a person looks', () => {
  const [first, third] = [0, 2].map((attempts) =>
    decideStartOver({ attempts, reason: null }, 'record_gone'),
  );
  expect(first).toMatchObject({ decision: 'again', delayMs: 500 });
  expect(third).toMatchObject({ decision: 'again', delayMs: 2_000 });
  const often = { attempts: 3, reason: 'record_gone' } as const;
  expect(decideStartOver(often, 'record_gone')).toMatchObject({
    decision: 'park',
    reason: 'record_gone',
  });
});

test('what nobody foresaw is tried some times, then given to a person', () => {
  expect(decideUnforeseen(0)).toMatchObject({ decision: 'again' });
  expect(decideUnforeseen(10)).toMatchObject({ decision: 'park', reason: 'handler_failed' });
});

test('a create is repeated three times after its end stayed unknown, never more', () => {
  expect([1, 2, 3, 4, 5].map(mayCreateAgain)).toEqual([true, true, true, false, false]);
});

describe('looking for what a create made', () => {
  const sentAt = new Date('2026-03-01T10:00:00Z');
  const record = (id: string, addTime: string, deleted = false): PipedriveRecord => ({
    object: 'person',
    id,
    addTime,
    updateTime: addTime,
    deleted,
    fields: {},
  });
  const fresh = record('1', '2026-03-01T10:00:01Z');
  const old = record('2', '2026-02-01T10:00:00Z');
  test.each<[string, PipedriveRecord[], string]>([
    ['nothing there is an absence', [], 'absent'],
    ['a record made since is ours', [fresh], 'ours'],
    ['ours counts before an older one', [old, fresh], 'ours'],
    ['an older record is somebody else’s', [old], 'existing'],
    ['a deleted record does not count', [record('3', '2026-03-01T10:00:01Z', true)], 'absent'],
    [
      'two made since are for a person to judge',
      [fresh, record('4', '2026-03-01T10:00:02Z')],
      'several',
    ],
  ])('%s', (_, matches, decision) => {
    const sent = { sentAt, stepId: 'st_1', identity: [], fields: {} };
    expect(decideVerified(matches, sent).decision).toBe(decision);
  });
  test('a deleted record with our mark was made, and is not made again', () => {
    const mark = { code: 'origin_step', value: 'm1' };
    const deleted = { ...record('5', '2026-03-01T10:00:01Z', true), fields: { origin_step: 'm1' } };
    const sent = { sentAt, stepId: 'st_1', identity: [], fields: {}, mark };
    expect(decideVerified([deleted], sent)).toEqual({ decision: 'ours_gone', id: '5' });
  });
});

test.each([
  ['person', '7', 'https://acme.pipedrive.com/person/7'],
  ['organization', '8', 'https://acme.pipedrive.com/organization/8'],
  ['lead', 'a-b', 'https://acme.pipedrive.com/leads/inbox/a-b'],
  ['note', '9', undefined],
])('a %s has its page', (object, id, url) => {
  expect(urlOf('https://acme.pipedrive.com/', { object, id })).toBe(url);
});
