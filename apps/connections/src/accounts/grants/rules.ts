import type { StoredGrant } from '../tables.ts';

const DAY_MS = 24 * 3_600_000;

/** A token is renewed when this share of its life has passed. */
const RENEW_AT = 0.8;

export const refreshTimeOf = (issuedAt: Date, livesSeconds: number): Date =>
  new Date(issuedAt.getTime() + livesSeconds * RENEW_AT * 1000);

/** True until the token should be renewed. */
export const isFresh = ({ refresh_at }: Pick<StoredGrant, 'refresh_at'>, now: Date): boolean =>
  now < refresh_at;

export const isAlive = ({ expires_at }: Pick<StoredGrant, 'expires_at'>, now: Date): boolean =>
  now < expires_at;

const TRY_AGAIN_MS = 30_000;

/** When a renewal that failed is tried again, while the token still works. */
export const tryAgainAt = ({ expires_at }: Pick<StoredGrant, 'expires_at'>, now: Date): Date =>
  new Date(Math.min(now.getTime() + TRY_AGAIN_MS, expires_at.getTime()));

const RECHECK_FROM_MS = 15 * 60_000;

/** When a credential that was turned away is tried again: soon, then ever more seldom, at least daily. */
export function recheckAt(brokenSince: Date, now: Date): Date {
  const passed = now.getTime() - brokenSince.getTime();
  return new Date(now.getTime() + Math.min(Math.max(passed, RECHECK_FROM_MS), DAY_MS));
}

const RELEASE_FROM_MS = 5 * 60_000;

/** When a grant Pipedrive did not take back is given back again: ever more seldom, until it ends by itself. */
export function releaseAgainAt({ renewed_at }: Pick<StoredGrant, 'renewed_at'>, now: Date): Date {
  const passed = now.getTime() - renewed_at.getTime();
  return new Date(now.getTime() + Math.min(Math.max(passed, RELEASE_FROM_MS), DAY_MS));
}

type Shown = Pick<StoredGrant, 'scopes' | 'api_domain'>;

/** Whether a renewed grant says something its connections do not show yet. */
export const saysMore = (before: Shown, after: Shown): boolean =>
  before.api_domain !== after.api_domain || before.scopes.join() !== after.scopes.join();

/** Pipedrive forgets a refresh token that nobody used for this long. */
const IDLE_DAYS = 60;

/** Until when a grant lives if it is not used again. */
export const idleUntil = ({ renewed_at }: Pick<StoredGrant, 'renewed_at'>): Date =>
  new Date(renewed_at.getTime() + IDLE_DAYS * DAY_MS);

const KEEP_ALIVE_DAYS = 45;

/** A grant renewed before is renewed although nobody uses it, so that it does not end. */
export const idleBefore = (now: Date): Date => new Date(now.getTime() - KEEP_ALIVE_DAYS * DAY_MS);
