/** What waits no longer than this is not worth telling: places in a window become free all the time. */
const BRIEF_MS = 5_000;

/** Whoever tries again before this moment counts as at work. */
export const soonAfter = (now: Date): Date => new Date(now.getTime() + BRIEF_MS);

/** How fast the last changes of a set came to rest, pauses left out. */
export interface Pace {
  /** How many, the first of them not counted: what it took is not known. */
  changes: number;
  /** How long they took, in seconds. */
  seconds: number;
}

/** Changes per second; null when nobody can tell. */
export const rateOf = (pace: Pace | null): number | null =>
  pace === null || pace.changes === 0 || pace.seconds <= 0 ? null : pace.changes / pace.seconds;

/** Seconds for what is left; null when nobody can tell. */
export const secondsLeft = (left: number, rate: number | null): number | null =>
  rate === null ? null : Math.ceil(left / rate);

/** When work that waits goes on: with its first step, or when the set itself is looked at again. */
export function goesOnAt(
  set: { not_before: Date },
  hold: { until: Date } | null,
  now: Date,
): Date | undefined {
  const at = hold?.until ?? set.not_before;
  return at > soonAfter(now) ? at : undefined;
}
