/** What is left of an allowance, and when that was reckoned. */
export interface Bucket {
  tokens: number;
  atMs: number;
}

export interface Allowance {
  perSecond: number;
  burst: number;
}

/** Of one webhook whose password was right before: twice what a bulk edit in Pipedrive sends. */
export const FAMILIAR: Allowance = { perSecond: 200, burst: 2_000 };
/** Of whoever is new at one address that is expected: known as soon as a password was right. */
export const NEWCOMERS: Allowance = { perSecond: 10, burst: 200 };
/** Of everybody at all other addresses together. */
export const STRANGERS: Allowance = { perSecond: 50, burst: 500 };

/** Takes one out of a bucket that fills up by itself; without one left, says how long until there is. */
export function takeOne(
  bucket: Bucket | undefined,
  { perSecond, burst }: Allowance,
  nowMs: number,
): { bucket: Bucket; waitMs: number } {
  const before = bucket ?? { tokens: burst, atMs: nowMs };
  // a clock that was put back gives nothing and takes nothing
  const passedMs = Math.max(0, nowMs - before.atMs);
  const tokens = Math.min(burst, before.tokens + (passedMs / 1_000) * perSecond);
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, atMs: nowMs }, waitMs: 0 };
  return { bucket: { tokens, atMs: nowMs }, waitMs: ((1 - tokens) / perSecond) * 1_000 };
}
