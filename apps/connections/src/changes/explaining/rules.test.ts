import type { ReasonCode } from '@manifold/contracts';
import type { Failure } from '@manifold/pipedrive';
import { expect, test } from 'vitest';
import { decideFailure, decideUnforeseen } from '../../writes/sending/rules.ts';
import { lastingCauses } from '../../writes/sending/lasting/rules.ts';
import { decideAccess } from '../../accounts/rules.ts';
import { decideApproval, defaultPolicy } from '../policy/rules.ts';
import { explainSet, setWords, waitOf } from './rules.ts';

const part = { object: 'person' as const, rows: 100, changed: 99, known: undefined };
const none = { create: 0, update: 0, delete: 0, merge: 0, parts: [part] };
const allowed = { ...defaultPolicy, allow_deletes: true, allow_merges: true };

/** Reasons for which a plan waits. */
function railReasons(): ReasonCode[] {
  const plans = [
    [{ ...none, update: 99 }, allowed],
    [
      { ...none, update: 99 },
      { ...allowed, max_records: 1 },
    ],
    [
      { ...none, update: 99 },
      { ...allowed, max_percent: 1 },
    ],
    [{ ...none, delete: 99 }, defaultPolicy],
    [{ ...none, merge: 99 }, defaultPolicy],
  ] as const;
  return plans.flatMap(([totals, rails]) => {
    const decision = decideApproval(totals, { rails, policy: allowed });
    return decision.approval === 'waits' ? [decision.reason] : [];
  });
}

const failures: Failure[] = [
  { outcome: 'refused', status: 403, message: 'no' },
  { outcome: 'unauthorized' },
  { outcome: 'limited', kind: 'daily', retryAfterMs: 1 },
  { outcome: 'limited', kind: 'burst', retryAfterMs: 1 },
  { outcome: 'blocked' },
  { outcome: 'scope_missing' },
  { outcome: 'not_sent', cause: 'socket' },
  ...Object.keys(lastingCauses).map((cause) => ({ outcome: 'unavailable' as const, cause })),
];

/** Reasons for which work on a set pauses or ends. */
function workReasons(): ReasonCode[] {
  const decisions = [0, 99].flatMap((attempts) => [
    ...failures.map((failure) => decideFailure(failure, { attempts, isWriteOf: undefined })),
    decideUnforeseen(attempts),
  ]);
  return decisions.flatMap((decision) => ('reason' in decision ? [decision.reason] : []));
}

/** Everything that is written into the columns `reason` and `waiting_reason` of a set. */
function allReasons(): ReasonCode[] {
  const access = (['DISABLED', 'NEEDS_REAUTH'] as const).flatMap((status) => {
    const decision = decideAccess({ status });
    return decision.outcome === 'refuse' ? [decision.reason] : [];
  });
  const decided = [
    ...(['canary_finished', 'plan_expired', 'cancelled_by_user', 'connection_missing'] as const),
  ];
  return [...new Set([...railReasons(), ...workReasons(), ...access, ...decided])];
}

const reasons = allReasons();

test('no reason has words that no set can have', () => {
  expect(Object.keys(setWords).toSorted()).toEqual(reasons.toSorted());
});

test.each(reasons)('a set that rests or waits for %s says why, and what can be done', (reason) => {
  for (const set of [
    { state: 'paused' as const, reason, waiting_reason: null },
    { state: 'applying' as const, reason: null, waiting_reason: reason },
  ]) {
    const words = explainSet(set, null);
    expect(words).toEqual(Object.entries(setWords).find(([known]) => known === reason)?.[1]);
    expect(words?.why).toMatch(/^[A-Z].*\.$/);
    expect(words?.fix).toMatch(/^[A-Z].*\.$/);
  }
});

const connection = {
  status: 'NEEDS_REAUTH' as const,
  status_reason: 'app_removed' as const,
  broken_since: new Date(),
  method: 'OAUTH' as const,
};

test('what broke the connection is named where it is known', () => {
  const set = { state: 'applying' as const, reason: null };
  const words = explainSet({ ...set, waiting_reason: 'connection_needs_reauth' }, connection);
  expect(words?.why).toContain('app was removed');
});

test('a set nobody works on waits for nothing', () => {
  const waits = { waiting_reason: 'budget_spent' as const };
  expect(waitOf({ ...waits, state: 'paused' })).toBeNull();
  expect(waitOf({ ...waits, state: 'planning' })).toBe('budget_spent');
  expect(explainSet({ ...waits, state: 'done', reason: null }, null)).toBeUndefined();
});
