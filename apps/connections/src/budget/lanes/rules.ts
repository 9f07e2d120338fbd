import { balanceOf, type Day, reserveOf } from '../days/rules.ts';
import type { Admission } from '../rules.ts';
import type { Lane } from '../tables.ts';

/** A lane that stops because what is left of the day is not for it, or that goes on. */
export type LaneTurn =
  | { turn: 'lane_stopped'; lane: Lane; until: Date; remaining: number | null }
  | { turn: 'lane_resumed'; lane: Lane; remaining: number | null };

/** A lane goes on when there is room for more than a call or two: this part of the day's tokens. */
const ROOM = 0.01;

/** What the answers to a workspace's calls say about its lanes; nothing when none stops or goes on. */
export function turnLanes(
  stopped: readonly Lane[],
  answered: readonly { lane: Lane; answer: Admission }[],
  { day, dailyTokens }: { day: Day; dailyTokens: number | null },
): { stopped: Lane[]; turns: LaneTurn[] } {
  const turns: LaneTurn[] = [];
  const { limit, remaining } = balanceOf(day, dailyTokens);
  const isRoomy = (lane: Lane): boolean =>
    limit === null || remaining === null || remaining - reserveOf(limit, lane) >= limit * ROOM;
  for (const [lane, own] of Map.groupBy(answered, (one) => one.lane)) {
    const wasStopped = stopped.includes(lane);
    const spent = own.flatMap(({ answer }) =>
      !answer.admitted && answer.reason === 'budget_spent' ? [answer.until] : [],
    );
    const [until] = spent;
    // a pause is of all lanes, and told as that
    if (until !== undefined && !wasStopped && day.pausedUntil === null) {
      turns.push({ turn: 'lane_stopped', lane, until, remaining });
    }
    const goesOn = until === undefined && own.some(({ answer }) => answer.admitted);
    if (goesOn && wasStopped && isRoomy(lane))
      turns.push({ turn: 'lane_resumed', lane, remaining });
  }
  const gone = new Set(turns.flatMap(({ turn, lane }) => (turn === 'lane_resumed' ? [lane] : [])));
  const added = turns.flatMap(({ turn, lane }) => (turn === 'lane_stopped' ? [lane] : []));
  return { stopped: [...stopped.filter((lane) => !gone.has(lane)), ...added], turns };
}
