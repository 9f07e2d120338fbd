import type { LimitAnswer } from '@manifold/pipedrive';
import { nextMidnight, type PauseReason } from '../rules.ts';

/** What Pipedrive takes for a call: nothing when it turned it away or never saw it. */
export const chargeOf = (call: { priceTokens: number; outcome: string }): number =>
  ['given_back', 'not_sent', 'limited', 'blocked', 'unauthorized'].includes(call.outcome)
    ? 0
    : call.priceTokens;

/** The headers' word on the rest of the day; answers can overtake each other, so the lower one counts. */
export function learnRemaining(
  known: number | null,
  heard: { remaining: number | undefined; charged: number; limit: number | null },
): number | null {
  const estimate = known === null ? null : Math.max(0, known - heard.charged);
  if (heard.remaining === undefined) return estimate;
  if (estimate === null) return heard.remaining;
  // far above what we know: the day turned over at Pipedrive, or tokens were bought
  const turnedOver = heard.remaining > estimate + (heard.limit ?? estimate) / 10;
  return turnedOver ? heard.remaining : Math.min(estimate, heard.remaining);
}

export type PauseDecision =
  | { pause: 'none' }
  | { pause: 'credential'; until: Date; reason: PauseReason; blocks: number }
  | { pause: 'company'; until: Date };

const MINUTE_MS = 60_000;
/** After the first page from the edge, the second in a row, and so on. */
const BLOCKED_PAUSES_MS = [1, 5, 15, 60].map((minutes) => minutes * MINUTE_MS);

/** How long the credential or the whole company rests after an answer. */
export function decidePause(
  answer: { outcome: string; limited: LimitAnswer | undefined; isWindowKnown: boolean },
  window: { pausedUntil: Date | null; blocks: number },
  now: Date,
): PauseDecision {
  const after = (ms: number) => new Date(now.getTime() + ms);
  const rests = window.pausedUntil !== null && window.pausedUntil > now;
  if (answer.outcome === 'blocked') {
    // others were on their way when the first was turned away
    if (rests && window.blocks > 0) return { pause: 'none' };
    const pauseMs = BLOCKED_PAUSES_MS[Math.min(window.blocks, BLOCKED_PAUSES_MS.length - 1)] ?? 0;
    const blocks = window.blocks + 1;
    return { pause: 'credential', until: after(pauseMs), reason: 'pipedrive_blocked', blocks };
  }
  if (answer.limited === undefined) return { pause: 'none' };
  const { kind, retryAfterMs } = answer.limited;
  const until = after(retryAfterMs);
  if (kind === 'daily') {
    return { pause: 'company', until: new Date(Math.min(+until, +nextMidnight(now))) };
  }
  // a window whose use the answer tells fills up, and that is pause enough
  if (answer.isWindowKnown || (rests && window.blocks > 0)) return { pause: 'none' };
  return { pause: 'credential', until, reason: 'burst_limited', blocks: window.blocks };
}

interface Learnt {
  learned_limit: number | null;
  learned_remaining: number | null;
}

/** Whether answers told of more tokens than were known, so that there may be some for who waits. */
export function showsMore(before: Learnt | undefined, after: Learnt | undefined): boolean {
  const isMore = (known: number | null = null, heard: number | null = null) =>
    heard !== null && (known === null || heard > known);
  return (
    isMore(before?.learned_limit, after?.learned_limit) ||
    isMore(before?.learned_remaining, after?.learned_remaining)
  );
}

/** What says nothing about what Pipedrive would answer. */
const silent = ['given_back', 'blocked', 'not_sent', 'unknown', 'unavailable'];

/** True for an answer of somebody who would have said so, were the day's tokens spent. */
export const showsTokens = (outcome: string): boolean =>
  !silent.includes(outcome) && !['limited', 'unauthorized'].includes(outcome);

/** True when an answer shows that the edge lets the credential through again. */
export const endsBlock = (
  outcome: string,
  { blocks, pausedUntil }: { blocks: number; pausedUntil: Date | null },
  now: Date,
): boolean =>
  blocks > 0 && (pausedUntil === null || pausedUntil <= now) && !silent.includes(outcome);

/** Whether and why nothing is asked now, whatever the lane; `remaining`: tokens of the day. */
export function pauseOf(
  day: { paused_until: Date | null; probe_at: Date | null } | undefined,
  window:
    | { paused_until: Date | null; pause_reason: PauseReason | null; probe_until: Date | null }
    | undefined,
  now: Date,
  remaining: number | null = null,
): { until: Date; reason: PauseReason | 'budget_spent' } | undefined {
  const isAhead = (until: Date | null | undefined): until is Date => until != null && until > now;
  if (isAhead(day?.paused_until)) return { until: day.paused_until, reason: 'budget_spent' };
  // over, but for one call that sees whether there are tokens again
  if (day?.paused_until != null && isAhead(day.probe_at)) {
    return { until: day.probe_at, reason: 'budget_spent' };
  }
  // nothing is left by our count; nobody has said so yet
  if (remaining === 0) {
    const midnight = nextMidnight(now);
    const probeAt = day?.probe_at;
    const until = isAhead(probeAt) && probeAt < midnight ? probeAt : midnight;
    return { until, reason: 'budget_spent' };
  }
  if (isAhead(window?.paused_until)) {
    return { until: window.paused_until, reason: window.pause_reason ?? 'burst_limited' };
  }
  if (!isAhead(window?.probe_until)) return undefined;
  return { until: window.probe_until, reason: 'pipedrive_blocked' };
}

/** Half, a fifth, a tenth and nothing of the day's tokens is left. */
const THRESHOLDS = [100, 90, 80, 50] as const;

/** The part of the day's tokens that has just been passed and nobody was told of. */
export function decideThreshold(
  { limit, spent, remaining }: { limit: number | null; spent: number; remaining: number | null },
  toldPercent: number,
): (typeof THRESHOLDS)[number] | undefined {
  if (limit === null || limit === 0) return undefined;
  const used = remaining === null ? spent : limit - remaining;
  return THRESHOLDS.find((percent) => percent > toldPercent && used * 100 >= limit * percent);
}
