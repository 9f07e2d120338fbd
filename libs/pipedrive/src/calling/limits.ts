import type { Dispatcher } from 'undici';
import type { Operation } from '../operations.ts';

type Headers = Dispatcher.ResponseData['headers'];

/** What a response said about limits; a number is undefined when the header was absent or unreadable. */
export interface RateLimitHeaders {
  /** Requests per window of 2 s, what is left of them, seconds until the window ends. */
  burstLimit: number | undefined;
  burstRemaining: number | undefined;
  burstResetSeconds: number | undefined;
  /** Daily tokens of the company. Undocumented and often missing. */
  dailyTokenLimit: number | undefined;
  dailyTokensRemaining: number | undefined;
  retryAfterSeconds: number | undefined;
}

/** Why a 429 came: the window of 2 s, the budget of the day, or it cannot be told. */
export type LimitKind = 'burst' | 'daily' | 'unknown';

/** How long to leave a company alone whose day is spent; Pipedrive does not say when the day ends. */
const DAILY_RETRY_MS = 15 * 60_000;
const UNKNOWN_RETRY_MS = 2_000;
const SHORTEST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** Reads the limit headers of any response. */
export function readRateLimits(headers: Headers): RateLimitHeaders {
  const read = (name: string): number | undefined => {
    const value = headers[name];
    return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : undefined;
  };
  return {
    burstLimit: read('x-ratelimit-limit'),
    burstRemaining: read('x-ratelimit-remaining'),
    burstResetSeconds: read('x-ratelimit-reset'),
    dailyTokenLimit: read('x-daily-ratelimit-token-limit'),
    dailyTokensRemaining: read('x-daily-ratelimit-token-remaining'),
    retryAfterSeconds: read('retry-after'),
  };
}

export const noRateLimits: RateLimitHeaders = readRateLimits({});

/** What a 429 means: which limit, and how long to wait. */
export interface LimitAnswer {
  kind: LimitKind;
  retryAfterMs: number;
}

/**
 * Which limit a 429 means and how long to wait. Pipedrive documents no difference: no daily tokens
 * left, or room left in the window, means the day is spent. Searches have a window of their own,
 * which the headers may not be about, so room there says nothing.
 */
export function explainLimit(
  limits: RateLimitHeaders,
  lane: Operation['lane'] = 'other',
): LimitAnswer {
  const isSearch = lane === 'search';
  if (limits.dailyTokensRemaining === 0 || (!isSearch && (limits.burstRemaining ?? 0) > 0)) {
    return { kind: 'daily', retryAfterMs: DAILY_RETRY_MS };
  }
  const saidMs = Math.max(limits.burstResetSeconds ?? 0, limits.retryAfterSeconds ?? 0) * 1000;
  const isBurst = isSearch || limits.burstRemaining === 0 || limits.burstResetSeconds !== undefined;
  const waitMs = saidMs === 0 && !isBurst ? UNKNOWN_RETRY_MS : saidMs;
  return {
    kind: isBurst ? 'burst' : 'unknown',
    retryAfterMs: Math.min(LONGEST_RETRY_MS, Math.max(SHORTEST_RETRY_MS, waitMs)),
  };
}
