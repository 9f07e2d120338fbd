import { forecastJob, type JobForecast, type Queue } from '../../budget/forecast/commands.ts';
import { hasEnded } from '../rules.ts';
import type { ChangeSet } from '../store.ts';
import type { Totals } from './totals.ts';

/** What is left of a set to be sent and when that is done; null before it is planned and once it has ended. */
export function forecastSet(
  set: ChangeSet,
  { queue, totals }: { queue: Queue | null; totals: Totals },
  now: Date,
): JobForecast | null {
  if (set.price_tokens === null || queue === null || hasEnded(set.state)) return null;
  const { states, effects, costTokens } = totals;
  const all = effects.create + effects.update + effects.delete + effects.merge;
  const left = states.PLANNED + states.APPLYING;
  const share = left / Math.max(1, left + states.APPLIED);
  const job = {
    changeSetId: set.id,
    lane: 'bulk' as const,
    tokens: Math.max(0, set.price_tokens - costTokens),
    calls: Math.round(all * share),
    searches: 0,
  };
  return forecastJob(queue, job, now);
}

/** The same as a number of seconds from now. */
export const secondsOf = (forecast: JobForecast | null, now: Date): number | null =>
  forecast && Math.max(0, Math.ceil((Number(forecast.endsAt) - Number(now)) / 1_000));
