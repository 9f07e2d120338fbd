import { expect, test } from 'vitest';
import {
  decideAccess,
  decideEnabling,
  decideKind,
  fixOf,
  isFresh,
  nextUpkeep,
  refreshTimeOf,
  refusalOf,
} from './rules.ts';

const now = new Date('2026-03-01T10:00:00Z');

test('a token is renewed when four fifths of its life have passed, an API token never', () => {
  const refresh_at = refreshTimeOf(now, 3_600);
  expect(refresh_at.toISOString()).toBe('2026-03-01T10:48:00.000Z');
  expect(isFresh({ refresh_at }, new Date('2026-03-01T10:47:59Z'))).toBe(true);
  expect(isFresh({ refresh_at }, refresh_at)).toBe(false);
  expect(isFresh({ refresh_at: null }, now)).toBe(true);
});

test.each([
  ['ACTIVE', { outcome: 'open' }],
  ['DISABLED', { outcome: 'refuse', reason: 'connection_disabled' }],
  ['NEEDS_REAUTH', { outcome: 'refuse', reason: 'connection_needs_reauth' }],
] as const)('whether a connection that is %s may be used', (status, expected) => {
  expect(decideAccess({ status })).toEqual(expected);
});

test.each([
  ['worked before', null, 'ACTIVE'],
  ['had lost its grant', 'token_rejected', 'NEEDS_REAUTH'],
] as const)('a connection that %s is switched on as that', (_, status_reason, expected) => {
  expect(decideEnabling({ status: 'DISABLED', status_reason })).toBe(expected);
});

test.each([
  [undefined, 'PERSONAL', 'PERSONAL'],
  ['PERSONAL', 'ORGANIZATION', 'ORGANIZATION'],
  ['ORGANIZATION', 'PERSONAL', 'ORGANIZATION'],
] as const)(
  'a connection that was %s and is connected as %s is %s',
  (existing, asked, expected) => {
    expect(decideKind(existing, asked)).toBe(expected);
  },
);

test('everything that does not work says what to do about it', () => {
  expect(fixOf({ status: 'ACTIVE', status_reason: null })).toBeUndefined();
  expect(fixOf({ status: 'DISABLED', status_reason: null })).toMatch(/enableConnection/);
  expect(fixOf({ status: 'NEEDS_REAUTH', status_reason: 'token_rejected' })).toMatch(/again/);
});

test('a connection is looked after daily, or soon while something is missing', () => {
  expect(nextUpkeep(now, { isComplete: true }).toISOString()).toBe('2026-03-02T10:00:00.000Z');
  expect(nextUpkeep(now, { isComplete: false }).toISOString()).toBe('2026-03-01T10:15:00.000Z');
});

test.each([
  [{ outcome: 'refused', status: 400, message: 'no' }, 'invalid', 'pipedrive_refused'],
  [{ outcome: 'unauthorized' }, 'precondition', 'token_rejected'],
  [{ outcome: 'limited', kind: 'daily', retryAfterMs: 1 }, 'limited', 'budget_spent'],
  [{ outcome: 'limited', kind: 'burst', retryAfterMs: 1 }, 'limited', 'burst_limited'],
  [{ outcome: 'blocked' }, 'unavailable', 'pipedrive_blocked'],
  [{ outcome: 'scope_missing' }, 'precondition', 'scope_missing'],
  [{ outcome: 'not_sent', cause: 'ECONNREFUSED' }, 'unavailable', 'pipedrive_unreachable'],
  [{ outcome: 'unavailable', cause: 'http_502' }, 'unavailable', 'pipedrive_unreachable'],
] as const)('a call that ends as %o is refused as %s, %s', (failure, kind, reason) => {
  expect(refusalOf(failure)).toMatchObject({ kind, detail: { reason } });
});
