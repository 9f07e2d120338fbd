import { expect, test } from 'vitest';
import { decideWait } from './rules.ts';

const now = new Date('2026-03-01T12:00:00Z');
const later = new Date('2026-03-01T13:00:00Z');
const queued = { state: 'queued', reason: null, not_before: now } as const;
const connection = {
  status: 'ACTIVE',
  status_reason: null,
  broken_since: null,
  method: 'OAUTH',
} as const;
const working = {
  request: { state: 'pending' },
  connection,
  pause: undefined,
} as const;
const disabled = { ...working, connection: { ...connection, status: 'DISABLED' } } as const;
const paused = { until: later, reason: 'burst_limited' } as const;

test('a step whose turn is about to come has nothing to say', () => {
  expect(decideWait(queued, working)).toEqual({ reason: null, cause: null, fix: null });
});

test.each([
  ...(['pipedrive_unreachable', 'burst_limited', 'budget_spent'] as const),
  ...(['pipedrive_blocked', 'handler_failed', 'record_gone', 'outcome_unknown'] as const),
])('a step put off by %s says what happened and what to do', (reason) => {
  const said = decideWait({ ...queued, reason }, working);
  expect(said).toEqual({ reason, cause: expect.any(String), fix: expect.any(String) });
});

test.each([
  ['a connection switched off', queued, { ...disabled, pause: paused }, 'connection_disabled'],
  ['a pause that lasts', queued, { ...working, pause: paused }, 'burst_limited'],
  [
    'a limit of its own that lasts longer than the pause',
    { ...queued, reason: 'budget_spent', not_before: new Date('2026-03-02T00:00:00Z') },
    { ...working, pause: paused },
    'budget_spent',
  ],
] as const)('first comes %s', (_, step, on, reason) => {
  expect(decideWait(step, on).reason).toBe(reason);
});

test('a step planned behind a parked one waits for that, not for the connection', () => {
  const step = { ...queued, state: 'planned' } as const;
  expect(decideWait(step, { ...disabled, request: { state: 'parked' } }).reason).toBeNull();
});

test.each([
  ['token_rejected', /no longer accepts the consent/, /Connect the same user/],
  ['app_removed', /app was removed/, /Connect the same user/],
  ['user_deactivated', /user was deactivated/, /activated in Pipedrive/],
] as const)('a step behind a connection broken by %s says what broke it', (reason, cause, fix) => {
  const broken = { status: 'NEEDS_REAUTH', status_reason: reason, broken_since: now } as const;
  expect(decideWait(queued, { ...working, connection: { ...connection, ...broken } })).toEqual({
    reason: 'connection_needs_reauth',
    cause: expect.stringMatching(cause),
    fix: expect.stringMatching(fix),
  });
});
