import {
  balanceOf,
  type Day,
  dayOf,
  decideDaily,
  firstDayOf,
  nextMidnight,
  reserveOf,
} from './days/rules.ts';
import { type BudgetPlan, planNames, planOf } from './plans/rules.ts';
import type { Lane } from './tables.ts';
import { enter, type Slots } from './windows/rules.ts';

export { type BudgetPlan, planNames, planOf };
export { balanceOf, type Day, dayOf, firstDayOf, nextMidnight, reserveOf };

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

/** Why one credential rests. */
export type PauseReason = 'burst_limited' | 'pipedrive_blocked';

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

export type AdmissionDecision = (
  | { admitted: true; window: Pick<Window, 'burst' | 'search' | 'probeUntil'> }
  | Extract<Admission, { admitted: false }>
) & {
  /** Of the company's day, from now on. */
  probeAt: Date | null;
};

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
  const { probeAt: earlier } = call.day;
  const blocked = decideBlocked(window, now);
  if (blocked !== undefined) return { ...blocked, probeAt: earlier };
  const { until: daily, probeAt } = decideDaily(call);
  if (daily !== undefined) {
    return { admitted: false, until: daily, reason: 'budget_spent', probeAt };
  }
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
    const until = new Date(Math.max(...waits));
    return { admitted: false, until, reason: 'burst_limited', probeAt: earlier };
  }
  const probeUntil = window.blocks > 0 ? new Date(now.getTime() + PROBE_MS) : null;
  const entered = { burst: burst.slots, search: search.slots, probeUntil };
  return { admitted: true, window: entered, probeAt };
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
