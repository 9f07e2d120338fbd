import { createScaledTime } from '@manifold/pipedrive-sandbox/clock';

export interface TestClock {
  now: () => Date;
  /** How long this many milliseconds of the clock really last; for timers. */
  realMs: (ms: number) => number;
}

/**
 * A clock that runs `factor` times faster, to be handed to services as `now`. It agrees with the local Pipedrive of
 * the same `timeFactor` in the same process, until that one jumps ahead. It shows the real time at `start`.
 */
export function createClock(options: { factor: number; start?: Date }): TestClock {
  return createScaledTime(options);
}
