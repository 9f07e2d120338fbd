import type { Lane } from './tables.ts';

/** Limits assumed until Pipedrive says otherwise. */
export interface BudgetPlan {
  /** Requests of one credential in any 2 s. */
  burst: Record<'OAUTH' | 'API_TOKEN', number>;
  /** Tokens of a company per day; null when nobody knows. */
  dailyTokens: number | null;
}

/** Pipedrive's plans: burst limits and the multiplier of 30,000 daily tokens per seat. */
const plans = {
  lite: { burst: { OAUTH: 80, API_TOKEN: 20 }, multiplier: 1 },
  growth: { burst: { OAUTH: 160, API_TOKEN: 40 }, multiplier: 2 },
  premium: { burst: { OAUTH: 400, API_TOKEN: 100 }, multiplier: 5 },
  ultimate: { burst: { OAUTH: 480, API_TOKEN: 120 }, multiplier: 7 },
} as const;
export const planNames = ['lite', 'growth', 'premium', 'ultimate'] as const;

/** The limits of a plan; daily tokens stay unknown unless given or the number of seats is. */
export function planOf(settings: {
  plan: (typeof planNames)[number];
  seats: number | undefined;
  dailyTokens: number | undefined;
}): BudgetPlan {
  const { burst, multiplier } = plans[settings.plan];
  const perSeat = 30_000 * multiplier;
  const { seats } = settings;
  return {
    burst,
    dailyTokens: settings.dailyTokens ?? (seats === undefined ? null : seats * perSeat),
  };
}

/** On every plan, whatever the credential. */
export const SEARCH_LIMIT = 10;
export const WINDOW_MS = 2_000;
const SLOT_MS = 100;
/** One slot more than the window: the slot a call fell into began up to 100 ms before it. */
const SLOTS = WINDOW_MS / SLOT_MS + 1;

/** Calls per slot of 100 ms; only slots of the last window count. */
export type Slots = readonly (readonly [slot: number, calls: number])[];

/** What a lane leaves of a window to those before it: a share, and never less than some calls. */
const windowReserve: Record<Lane, { share: number; calls: number }> = {
  interactive: { share: 0, calls: 0 },
  event: { share: 0.05, calls: 1 },
  bulk: { share: 0.1, calls: 3 },
};

function shareOf(limit: number, lane: Lane): number {
  const { share, calls } = windowReserve[lane];
  return Math.max(1, limit - Math.max(calls, Math.ceil(limit * share)));
}

/** Part of the day's tokens a lane leaves to those before it. */
const dailyReserve: Record<Lane, number> = { interactive: 0, event: 0.02, bulk: 0.1 };

/** Why one credential rests. */
export type PauseReason = 'burst_limited' | 'pipedrive_blocked';

export interface Day {
  spent_tokens: number;
  /** Of calls under way. */
  reserved_tokens: number;
  learned_limit: number | null;
  learned_remaining: number | null;
  paused_until: Date | null;
}

export interface Window {
  burstLimit: number;
  burst: Slots;
  search: Slots;
  pausedUntil: Date | null;
}

export type Admission =
  | { admitted: true }
  | {
      admitted: false;
      until: Date;
      reason: PauseReason | 'budget_spent';
    };

export type AdmissionDecision =
  | { admitted: true; burst: Slots; search: Slots }
  | Extract<Admission, { admitted: false }>;

/** Whether a call may be made now, and if not, when to ask again. */
export function decideAdmission(call: {
  lane: Lane;
  priceTokens: number;
  isSearch: boolean;
  window: Window & { pauseReason: PauseReason };
  /** The company's day as each workspace that uses it knows it. */
  days: readonly Day[];
  dailyTokens: number | null;
  now: Date;
}): AdmissionDecision {
  const { lane, window, now } = call;
  if (window.pausedUntil !== null && window.pausedUntil > now) {
    return { admitted: false, until: window.pausedUntil, reason: window.pauseReason };
  }
  const daily = decideDaily(call);
  if (daily !== undefined) return { admitted: false, until: daily, reason: 'budget_spent' };
  const burst = enter(window.burst, shareOf(window.burstLimit, lane), now);
  const search = call.isSearch
    ? enter(window.search, shareOf(SEARCH_LIMIT, lane), now)
    : { slots: window.search };
  const waits = [burst, search].flatMap((result) => ('until' in result ? [result.until] : []));
  if ('until' in burst || 'until' in search) {
    return {
      admitted: false,
      until: new Date(Math.max(...waits.map(Number))),
      reason: 'burst_limited',
    };
  }
  return { admitted: true, burst: burst.slots, search: search.slots };
}

function decideDaily(call: {
  lane: Lane;
  priceTokens: number;
  days: readonly Day[];
  dailyTokens: number | null;
  now: Date;
}): Date | undefined {
  const paused = call.days.flatMap(({ paused_until }) => paused_until ?? []);
  const latest = new Date(Math.max(0, ...paused.map(Number)));
  if (latest > call.now) return latest;
  const { limit, remaining } = balanceOf(call.days, call.dailyTokens);
  if (limit === null || remaining === null) return undefined;
  const underWay = call.days.reduce((sum, day) => sum + day.reserved_tokens, 0);
  const reserve = Math.floor(limit * dailyReserve[call.lane]);
  const left = remaining - underWay - call.priceTokens;
  return left < reserve ? nextMidnight(call.now) : undefined;
}

/** What is left of a company's day: what Pipedrive said last, else the limit less what we spent. */
export function balanceOf(
  days: readonly Day[],
  dailyTokens: number | null,
): { limit: number | null; spent: number; remaining: number | null } {
  const spent = days.reduce((sum, day) => sum + day.spent_tokens, 0);
  const limit = days.find((day) => day.learned_limit !== null)?.learned_limit ?? dailyTokens;
  const learned = days.flatMap(({ learned_remaining }) => learned_remaining ?? []);
  const counted = limit === null ? [] : [Math.max(0, limit - spent)];
  const remaining = learned.length > 0 ? Math.min(...learned) : (counted[0] ?? null);
  return { limit, spent, remaining };
}

function enter(slots: Slots, limit: number, now: Date): { slots: Slots } | { until: Date } {
  const current = Math.floor(now.getTime() / SLOT_MS);
  const recent = slots.filter(([slot]) => slot > current - SLOTS);
  const used = countOf(recent);
  if (used >= limit) return { until: firstRoom(recent, used - limit) };
  const last = recent.at(-1);
  if (last?.[0] === current) return { slots: [...recent.slice(0, -1), [current, last[1] + 1]] };
  return { slots: [...recent, [current, 1]] };
}

/** When enough of the oldest calls have left the window for one more. */
function firstRoom(recent: Slots, over: number): Date {
  let left = 0;
  for (const [slot, calls] of recent) {
    left += calls;
    if (left > over) return new Date((slot + SLOTS) * SLOT_MS);
  }
  return new Date(((recent.at(-1)?.[0] ?? 0) + SLOTS) * SLOT_MS);
}

const countOf = (slots: Slots): number => slots.reduce((sum, [, calls]) => sum + calls, 0);

/** Calls in the window that ends now. */
export function usedOf(slots: Slots, now: Date): number {
  const current = Math.floor(now.getTime() / SLOT_MS);
  return countOf(slots.filter(([slot]) => slot > current - SLOTS));
}

/** Pipedrive does not name the zone of its midnight; UTC is the guess, mended by what it answers. */
export const dayOf = (now: Date): string => now.toISOString().slice(0, 10);

export function nextMidnight(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1));
}

/** The first of `count` days that end with today. */
export const firstDayOf = (now: Date, count: number): string =>
  dayOf(new Date(now.getTime() - (count - 1) * 86_400_000));
