import type { Lane } from '../tables.ts';

/** A company's day, whoever spent of it. */
export interface Day {
  spent: number;
  /** Of calls under way. */
  reserved: number;
  learnedLimit: number | null;
  learnedRemaining: number | null;
  /** Stays after it has passed, until an answer shows that the day goes on. */
  pausedUntil: Date | null;
  /** When one call may look whether tokens were added; null while there are some. */
  probeAt: Date | null;
}

/** Part of the day's tokens a lane leaves to those before it. */
const dailyReserve: Record<Lane, number> = { interactive: 0, event: 0.02, bulk: 0.1 };

/** Tokens of the day a lane may not touch. */
export const reserveOf = (limit: number, lane: Lane): number =>
  Math.floor(limit * dailyReserve[lane]);

/** What is left of a company's day: what Pipedrive said last, else the limit less what we spent. */
export function balanceOf(
  {
    spent,
    learnedLimit,
    learnedRemaining,
  }: Pick<Day, 'spent' | 'learnedLimit' | 'learnedRemaining'>,
  dailyTokens: number | null,
): { limit: number | null; spent: number; remaining: number | null } {
  const limit = learnedLimit ?? dailyTokens;
  const counted = limit === null ? null : Math.max(0, limit - spent);
  return { limit, spent, remaining: learnedRemaining ?? counted };
}

/** How often one call looks whether a spent day has got tokens: somebody may have bought some. */
const PROBE_EVERY_MS = 3_600_000;

/** How soon somebody looks again when the last look came to nothing. */
const PROBE_AGAIN_MS = 2 * 60_000;

/** When one call may look again: the one that was to tell had no answer that tells anything. */
export const lookSoon = (probeAt: Date | null, now: Date): Date | null =>
  probeAt === null ? null : earlier(probeAt, new Date(now.getTime() + PROBE_AGAIN_MS));

const earlier = (one: Date, other: Date): Date => (one < other ? one : other);

/**
 * Until when the day lets a call wait; absent when it lets it pass. Of a day that is spent, by our
 * count or by an answer, one call passes from time to time: nothing else would tell that tokens were
 * bought or that the plan is another. It is turned away at no cost, or its answer says what is left.
 */
export function decideDaily(call: {
  lane: Lane;
  priceTokens: number;
  day: Day;
  dailyTokens: number | null;
  now: Date;
}): { until?: Date; probeAt: Date | null } {
  const { day, now, lane } = call;
  const { pausedUntil, probeAt } = day;
  if (pausedUntil !== null && pausedUntil > now) return { until: pausedUntil, probeAt };
  const midnight = nextMidnight(now);
  const isSpent = hasTooLittle(call);
  // what is left is for those before it, and they look
  if (isSpent && lane !== 'interactive') return { until: midnight, probeAt };
  if (!isSpent && pausedUntil === null) return { probeAt: null };
  const next = new Date(now.getTime() + PROBE_EVERY_MS);
  const isDue = probeAt === null ? pausedUntil !== null : probeAt <= now;
  if (isDue) return { probeAt: next };
  const at = probeAt ?? next;
  // one that has just left to look may come back with good news
  const isLooking = next.getTime() - at.getTime() < PROBE_AGAIN_MS && probeAt !== null;
  const until = isLooking ? new Date(now.getTime() + PROBE_AGAIN_MS) : at;
  return { until: earlier(until, midnight), probeAt: at };
}

function hasTooLittle(call: Parameters<typeof decideDaily>[0]): boolean {
  const { limit, remaining } = balanceOf(call.day, call.dailyTokens);
  if (limit === null || remaining === null) return false;
  const left = remaining - call.day.reserved - call.priceTokens;
  return left < reserveOf(limit, call.lane);
}

/** Pipedrive does not name the zone of its midnight; UTC is the guess, mended by what it answers. */
export const dayOf = (now: Date): string => now.toISOString().slice(0, 10);

export function nextMidnight(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1));
}

/** The first of `count` days that end with today. */
export const firstDayOf = (now: Date, count: number): string =>
  dayOf(new Date(now.getTime() - (count - 1) * 86_400_000));
