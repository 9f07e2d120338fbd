import { type BudgetPlan, planNames, planOf } from './plans/rules.ts';
import type { Lane } from './tables.ts';
import { enter, type Slots } from './windows/rules.ts';

export { type BudgetPlan, planNames, planOf };

/** On every plan, whatever the credential. */
export const SEARCH_LIMIT = 10;

/** What a lane leaves of a window to those before it: a share, and never less than some calls. */
const windowReserve: Record<Lane, { share: number; calls: number }> = {
  interactive: { share: 0, calls: 0 },
  event: { share: 0.025, calls: 1 },
  bulk: { share: 0.05, calls: 2 },
};

/** The calls of a window a lane may fill. */
export function shareOf(limit: number, lane: Lane): number {
  const { share, calls } = windowReserve[lane];
  return Math.max(1, limit - Math.max(calls, Math.ceil(limit * share)));
}

/**
 * Of its share, what a lane may use in a tenth of the window: somewhat more than a tenth, so that it
 * catches up after a pause and yet places become free all the time, for whoever is more urgent.
 */
const paceOf = (limit: number, lane: Lane) =>
  lane === 'interactive' ? undefined : { calls: Math.ceil((shareOf(limit, lane) / 10) * 1.5) };

/** Part of the day's tokens a lane leaves to those before it. */
const dailyReserve: Record<Lane, number> = { interactive: 0, event: 0.02, bulk: 0.1 };

/** Tokens of the day a lane may not touch. */
export const reserveOf = (limit: number, lane: Lane): number =>
  Math.floor(limit * dailyReserve[lane]);

/** Why one credential rests. */
export type PauseReason = 'burst_limited' | 'pipedrive_blocked';

/** A company's day, whoever spent of it. */
export interface Day {
  spent: number;
  /** Of calls under way. */
  reserved: number;
  learnedLimit: number | null;
  learnedRemaining: number | null;
  pausedUntil: Date | null;
}

export interface Window {
  burstLimit: number;
  burst: Slots;
  search: Slots;
  pausedUntil: Date | null;
  pauseReason: PauseReason;
  /** How often in a row the edge has turned the credential away. */
  blocks: number;
  probeUntil: Date | null;
}

export type Admission =
  /** `at`: when its tokens were reserved. */
  | { admitted: true; at?: Date }
  | { admitted: false; until: Date; reason: PauseReason | 'budget_spent' };

export type AdmissionDecision =
  | { admitted: true; window: Pick<Window, 'burst' | 'search' | 'probeUntil'> }
  | Extract<Admission, { admitted: false }>;

/** How long the answer to a probe is waited for. */
const PROBE_MS = 60_000;

export interface AskedCall {
  lane: Lane;
  priceTokens: number;
  isSearch: boolean;
}

/** Whether a call may be made now, and if not, when to ask again. */
export function decideAdmission(
  call: AskedCall & {
    window: Window;
    day: Day;
    dailyTokens: number | null;
    now: Date;
  },
): AdmissionDecision {
  const { lane, window, now } = call;
  const blocked = decideBlocked(window, now);
  if (blocked !== undefined) return blocked;
  const daily = decideDaily(call);
  if (daily !== undefined) return { admitted: false, until: daily, reason: 'budget_spent' };
  const burst = enter(window.burst, {
    limit: shareOf(window.burstLimit, lane),
    pace: paceOf(window.burstLimit, lane),
    now,
  });
  const search = call.isSearch
    ? enter(window.search, { limit: shareOf(SEARCH_LIMIT, lane), now })
    : { slots: window.search };
  if ('until' in burst || 'until' in search) {
    const waits = [burst, search].flatMap((one) => ('until' in one ? [Number(one.until)] : []));
    return { admitted: false, until: new Date(Math.max(...waits)), reason: 'burst_limited' };
  }
  const probeUntil = window.blocks > 0 ? new Date(now.getTime() + PROBE_MS) : null;
  return { admitted: true, window: { burst: burst.slots, search: search.slots, probeUntil } };
}

/** A credential that rests, or one whose first call after a block has not come back. */
function decideBlocked(
  { pausedUntil, pauseReason, probeUntil }: Window,
  now: Date,
): Extract<Admission, { admitted: false }> | undefined {
  if (pausedUntil !== null && pausedUntil > now) {
    return { admitted: false, until: pausedUntil, reason: pauseReason };
  }
  if (probeUntil !== null && probeUntil > now) {
    return { admitted: false, until: probeUntil, reason: 'pipedrive_blocked' };
  }
  return undefined;
}

function decideDaily(call: {
  lane: Lane;
  priceTokens: number;
  day: Day;
  dailyTokens: number | null;
  now: Date;
}): Date | undefined {
  const { day, now } = call;
  if (day.pausedUntil !== null && day.pausedUntil > now) return day.pausedUntil;
  const { limit, remaining } = balanceOf(day, call.dailyTokens);
  if (limit === null || remaining === null) return undefined;
  const left = remaining - day.reserved - call.priceTokens;
  return left < reserveOf(limit, call.lane) ? nextMidnight(now) : undefined;
}

/** What is left of a company's day: what Pipedrive said last, else the limit less what we spent. */
export function balanceOf(
  { spent, learnedLimit, learnedRemaining }: Omit<Day, 'reserved' | 'pausedUntil'>,
  dailyTokens: number | null,
): { limit: number | null; spent: number; remaining: number | null } {
  const limit = learnedLimit ?? dailyTokens;
  const counted = limit === null ? null : Math.max(0, limit - spent);
  return { limit, spent, remaining: learnedRemaining ?? counted };
}

/** Pipedrive does not name the zone of its midnight; UTC is the guess, mended by what it answers. */
export const dayOf = (now: Date): string => now.toISOString().slice(0, 10);

export function nextMidnight(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1));
}

/** The first of `count` days that end with today. */
export const firstDayOf = (now: Date, count: number): string =>
  dayOf(new Date(now.getTime() - (count - 1) * 86_400_000));
