/** A clock that runs some number of times faster than the real one. */
export interface ScaledTime {
  /** When it showed the real time. */
  start: Date;
  now: () => Date;
  /** How long this many of its milliseconds really last. */
  realMs: (ms: number) => number;
}

export interface ScaledTimeOptions {
  /** How many times faster; 1 is the real clock. */
  factor: number;
  /** When it shows the real time; without it when this process began, so that all clocks of a process agree. */
  start?: Date;
}

export function createScaledTime({ factor, start }: ScaledTimeOptions): ScaledTime {
  if (!(factor > 0 && factor <= 1_000_000)) throw new Error('A time factor is a positive number');
  const startMs = Math.floor(start?.getTime() ?? performance.timeOrigin);
  return {
    start: new Date(startMs),
    now: () => new Date(startMs + (Date.now() - startMs) * factor),
    realMs: (ms) => ms / factor,
  };
}
