import { nextMidnight, reserveOf, SEARCH_LIMIT, shareOf } from '../rules.ts';
import type { Lane } from '../tables.ts';
import { WINDOW_MS } from '../windows/rules.ts';

/** Work that waits: what it takes of the three limits. */
export interface Demand {
  lane: Lane;
  tokens: number;
  calls: number;
  /** Of these, how many are searches. */
  searches: number;
}

export interface Capacity {
  /** Calls in any two seconds. */
  burstLimit: number;
  /** Tokens of a whole day, and left of today's; null when nobody knows. */
  dailyTokens: number | null;
  remainingTokens: number | null;
  /** Nothing is asked before; null when work goes on. */
  pausedUntil: Date | null;
}

export interface Estimate {
  startsAt: Date;
  endsAt: Date;
  /** At some point it waits for another day's tokens. */
  waitsForDay: boolean;
}

const lanes: readonly Lane[] = ['interactive', 'event', 'bulk'];

/**
 * When each piece of work begins and ends: lane by lane, and the pieces of one lane side by side,
 * call by call, so that a short one ends before a long one that was there first.
 */
export function forecast(
  demands: readonly Demand[],
  capacity: Capacity,
  now: Date,
): (Estimate | undefined)[] {
  const estimates: (Estimate | undefined)[] = demands.map(() => undefined);
  let place = startOf(capacity, now);
  for (const lane of lanes) {
    for (const { members, sum } of roundsOf(demands, lane)) {
      const startsAt = place.at;
      const done = workOff(place, { lane, ...sum }, capacity);
      place = done.place;
      for (const index of members) {
        const earlier = estimates[index];
        estimates[index] = {
          startsAt: earlier?.startsAt ?? startsAt,
          endsAt: place.at,
          waitsForDay: done.waitsForDay || earlier?.waitsForDay === true,
        };
      }
    }
  }
  return estimates;
}

type Cost = Omit<Demand, 'lane'>;
interface Round {
  /** Places of those who take part in it. */
  members: number[];
  sum: Cost;
}

/** Cuts the work of a lane, which goes side by side, at the moments at which a piece of it ends. */
function roundsOf(demands: readonly Demand[], lane: Lane): Round[] {
  const own = demands.flatMap((demand, index) => (demand.lane === lane ? [{ demand, index }] : []));
  const ends = [...new Set(own.map(({ demand }) => demand.calls))].toSorted((a, b) => a - b);
  return ends.map((end, place) => {
    const before = ends[place - 1] ?? 0;
    const members = own.filter(({ demand }) => demand.calls >= end);
    const parts = members.map(({ demand }) =>
      // what makes no calls costs nothing either
      scale(demand, demand.calls === 0 ? 0 : (end - before) / demand.calls),
    );
    return { members: members.map(({ index }) => index), sum: sumUp(parts) };
  });
}

const scale = ({ tokens, calls, searches }: Cost, part: number): Cost => ({
  tokens: tokens * part,
  calls: calls * part,
  searches: searches * part,
});

const sumUp = (costs: readonly Cost[]): Cost => ({
  tokens: costs.reduce((sum, { tokens }) => sum + tokens, 0),
  calls: costs.reduce((sum, { calls }) => sum + calls, 0),
  searches: costs.reduce((sum, { searches }) => sum + searches, 0),
});

/** A moment, and what is left of its day. */
interface Place {
  at: Date;
  tokensLeft: number;
}

function startOf({ pausedUntil, remainingTokens, dailyTokens }: Capacity, now: Date): Place {
  const at = pausedUntil !== null && pausedUntil > now ? pausedUntil : now;
  const left = at < nextMidnight(now) ? remainingTokens : dailyTokens;
  return { at, tokensLeft: left ?? Number.POSITIVE_INFINITY };
}

/** Further than this nothing can be said, and work that has not ended is said to end here. */
const HORIZON_DAYS = 366;
/** Of shares of a whole that were added up. */
const ROUNDING = 1e-9;

/** Goes on until the work is done, over as many days as its tokens need. */
function workOff(
  from: Place,
  demand: Demand,
  { burstLimit, dailyTokens }: Capacity,
): { place: Place; waitsForDay: boolean } {
  const reserve = dailyTokens === null ? 0 : reserveOf(dailyTokens, demand.lane);
  const needMs = durationMs(demand, burstLimit);
  let [place, left, waitsForDay] = [from, 1, false];
  for (let day = 0; day < HORIZON_DAYS; day += 1) {
    const midnight = nextMidnight(place.at);
    const usable = Math.max(0, place.tokensLeft - reserve);
    const byTokens = demand.tokens === 0 ? 1 : usable / demand.tokens;
    const byTime = needMs === 0 ? 1 : (midnight.getTime() - place.at.getTime()) / needMs;
    const part = Math.min(left, byTokens, byTime);
    left -= part;
    if (left <= ROUNDING) {
      const at = new Date(place.at.getTime() + Math.round(part * needMs));
      const tokensLeft = place.tokensLeft - part * demand.tokens;
      return { place: { at, tokensLeft }, waitsForDay };
    }
    waitsForDay ||= byTokens < byTime;
    place = { at: midnight, tokensLeft: dailyTokens ?? Number.POSITIVE_INFINITY };
  }
  return { place, waitsForDay };
}

/** At full speed: whichever window is the tighter. */
function durationMs({ lane, calls, searches }: Demand, burstLimit: number): number {
  const byCalls = calls / shareOf(burstLimit, lane);
  const bySearches = searches / shareOf(SEARCH_LIMIT, lane);
  return Math.max(byCalls, bySearches) * WINDOW_MS;
}
