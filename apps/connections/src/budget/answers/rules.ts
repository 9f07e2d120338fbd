import type { LimitAnswer } from '@manifold/pipedrive';
import { type Day, nextMidnight, type PauseReason } from '../rules.ts';

/** What Pipedrive takes for a call: nothing when it turned it away or never saw it. */
export const chargeOf = (call: { priceTokens: number; outcome: string }): number =>
  ['not_sent', 'limited', 'blocked', 'unauthorized'].includes(call.outcome) ? 0 : call.priceTokens;

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
  | { pause: 'credential'; until: Date; reason: PauseReason }
  | { pause: 'company'; until: Date };

const BLOCKED_PAUSE_MS = 15 * 60_000;

/** How long the credential or the whole company rests after an answer. */
export function decidePause(
  { outcome, limited }: { outcome: string; limited: LimitAnswer | undefined },
  now: Date,
): PauseDecision {
  const after = (ms: number) => new Date(now.getTime() + ms);
  if (outcome === 'blocked') {
    return { pause: 'credential', until: after(BLOCKED_PAUSE_MS), reason: 'pipedrive_blocked' };
  }
  if (limited === undefined) return { pause: 'none' };
  const until = after(limited.retryAfterMs);
  if (limited.kind !== 'daily') return { pause: 'credential', until, reason: 'burst_limited' };
  return { pause: 'company', until: new Date(Math.min(Number(until), Number(nextMidnight(now)))) };
}

/** Whether and why nothing is asked now, whatever the lane. */
export function pauseOf(
  days: readonly Pick<Day, 'paused_until'>[],
  window: { paused_until: Date | null; pause_reason: PauseReason | null } | undefined,
  now: Date,
): { until: Date; reason: PauseReason | 'budget_spent' } | undefined {
  const paused = days.find(({ paused_until }) => paused_until !== null && paused_until > now);
  if (paused?.paused_until) return { until: paused.paused_until, reason: 'budget_spent' };
  if (!window?.paused_until || window.paused_until <= now) return undefined;
  return { until: window.paused_until, reason: window.pause_reason ?? 'burst_limited' };
}
