import { UserId } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { requireTerms, seesEnough } from './consent/rules.ts';
import { idleUntil, isFresh, refreshTimeOf, releaseAgainAt, saysMore } from './grants/rules.ts';
import {
  causeOf,
  decideAccess,
  decideEnabling,
  decideStatus,
  fixOf,
  nextUpkeep,
  refusalOf,
} from './rules.ts';

const owner = UserId.parse(`us_${'1'.repeat(32)}`);
const other = UserId.parse(`us_${'2'.repeat(32)}`);
const now = new Date('2026-03-01T10:00:00Z');

test('a token is renewed when four fifths of its life have passed', () => {
  const refresh_at = refreshTimeOf(now, 3_600);
  expect(refresh_at.toISOString()).toBe('2026-03-01T10:48:00.000Z');
  expect(isFresh({ refresh_at }, new Date('2026-03-01T10:47:59Z'))).toBe(true);
  expect(isFresh({ refresh_at }, refresh_at)).toBe(false);
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
  ['had lost its grant', now, 'NEEDS_REAUTH'],
] as const)('a connection that %s is switched on as that', (_, broken_since, expected) => {
  expect(decideEnabling({ broken_since })).toBe(expected);
});

test.each([
  ['whoever switched it off', owner, false, 'ACTIVE'],
  ['somebody else', 'us_2', false, 'DISABLED'],
  ['an administrator', 'us_2', true, 'ACTIVE'],
] as const)(
  'a connection that was switched off, connected again by %s',
  (_, userId, byAdmin, expected) => {
    const existing = { status: 'DISABLED', disabled_by: owner } as const;
    expect(decideStatus(existing, { userId, byAdmin })).toBe(expected);
  },
);

const owned = { kind: 'PERSONAL', user_id: owner, disabled_by: null } as const;

test('everything that does not work says what to do about it', () => {
  expect(fixOf({ ...owned, status: 'ACTIVE', status_reason: null })).toBeUndefined();
  const rejected = { status: 'NEEDS_REAUTH', status_reason: 'token_rejected' } as const;
  expect(fixOf({ ...owned, ...rejected })).toMatch(/again/);
});

test.each([
  ['ORGANIZATION', other, /^Switch it on/],
  ['PERSONAL', owner, /^Its owner switched it off/],
  ['PERSONAL', other, /^An administrator of the workspace switched it off: ask one/],
  ['PERSONAL', null, /^An administrator/],
] as const)('a connection %s that is off by %s says who switches it on', (kind, by, words) => {
  const off = { status: 'DISABLED', status_reason: null, kind, disabled_by: by } as const;
  expect(fixOf({ ...owned, ...off })).toMatch(words);
});

test.each([
  ['app_removed', 'OAUTH', /removed/],
  ['user_deactivated', 'OAUTH', /deactivated/],
  ['token_rejected', 'OAUTH', /consent/],
  ['token_rejected', 'API_TOKEN', /API token/],
] as const)('what broke a connection with %s by %s is said', (status_reason, method, cause) => {
  expect(causeOf({ broken_since: now, method, status_reason })).toMatch(cause);
  expect(causeOf({ broken_since: null, method, status_reason })).toBeUndefined();
  expect(fixOf({ ...owned, status: 'NEEDS_REAUTH', status_reason })).toEqual(expect.any(String));
});

test.each([
  ['PERSONAL', false, false, true],
  ['ORGANIZATION', true, false, true],
  ['ORGANIZATION', false, true, true],
  ['ORGANIZATION', false, false, false],
] as const)('%s by an administrator (%s), accepted (%s): %s', (kind, isAdmin, accepts, enough) => {
  expect(seesEnough({ kind, isAdmin, accepts })).toBe(enough);
});

test('terms are accepted in the wording that is shown now, and only where there are any', () => {
  const terms = { version: '2', url: 'https://example.test/terms' };
  expect(() => requireTerms(undefined, undefined)).not.toThrow();
  expect(() => requireTerms(terms, '2')).not.toThrow();
  expect(() => requireTerms(terms, '1')).toThrow(/not accepted/);
});

test.each([
  ['soon at first', '2026-03-01T09:59:00Z', '2026-03-01T10:05:00.000Z'],
  ['later when it is older', '2026-03-01T08:00:00Z', '2026-03-01T12:00:00.000Z'],
  ['daily in the end', '2026-02-01T10:00:00Z', '2026-03-02T10:00:00.000Z'],
])('a grant Pipedrive does not take back is given back again %s', (_, renewed, again) => {
  expect(releaseAgainAt({ renewed_at: new Date(renewed) }, now).toISOString()).toBe(again);
});

test('a grant lives 60 days from its last use, and tells its connections what changed about it', () => {
  expect(idleUntil({ renewed_at: now }).toISOString()).toBe('2026-04-30T10:00:00.000Z');
  const shown = { scopes: ['a', 'b'], api_domain: 'https://a.test' };
  expect(saysMore(shown, { ...shown })).toBe(false);
  expect(saysMore(shown, { ...shown, scopes: ['a'] })).toBe(true);
  expect(saysMore(shown, { ...shown, api_domain: 'https://b.test' })).toBe(true);
});

test('a connection is looked after daily, or soon while something is missing', () => {
  expect(nextUpkeep(now, { pace: 'normal' }).toISOString()).toBe('2026-03-02T10:00:00.000Z');
  expect(nextUpkeep(now, { pace: 'soon' }).toISOString()).toBe('2026-03-01T10:15:00.000Z');
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
