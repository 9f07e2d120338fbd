import { createScaledTime } from './scaled-time.ts';

/** The one clock of a sandbox: all that lasts, expires or waits goes by it. */
export interface Clock {
  now: () => Date;
  factor: number;
  /** When it showed the real time, jumps apart. */
  start: Date;
  /** How long this many of its milliseconds really last. */
  realMs: (ms: number) => number;
  /** Jumps ahead; whatever falls due by it happens at once. */
  advance(ms: number): void;
  /** True once this much of its time has passed, false when the sandbox stops before. */
  pause(ms: number): Promise<boolean>;
  /** Calls back after each jump. */
  onJump(wake: () => void): void;
  stop(): void;
}

interface Waiting {
  dueMs: number;
  settle: (passed: boolean) => void;
}

export interface ClockOptions {
  factor?: number;
  /** Instead of a scaled clock; the factor then only shortens waiting. */
  now?: () => Date;
  /** When it showed the real time; without it when this process began. */
  start?: Date;
  /** How far it has jumped before. */
  jumpedMs?: number;
  onJumped?: (jumpedMs: number) => void;
}

const MAX_TIMER_MS = 60_000;

export function createClock(options: ClockOptions = {}): Clock {
  const { factor = 1, start, onJumped = () => {} } = options;
  const scaled = createScaledTime({ factor, ...(start === undefined ? {} : { start }) });
  const source = options.now ?? scaled.now;
  let { jumpedMs = 0 } = options;
  const now = () => new Date(source().getTime() + jumpedMs);
  const waiting = new Map<Waiting, NodeJS.Timeout>();
  const wakes: (() => void)[] = [];

  function wait(item: Waiting): void {
    const restMs = item.dueMs - now().getTime();
    clearTimeout(waiting.get(item));
    if (restMs <= 0) return settle(item, true);
    const realMs = Math.ceil(Math.min(scaled.realMs(restMs), MAX_TIMER_MS));
    waiting.set(
      item,
      setTimeout(() => wait(item), realMs),
    );
  }

  function settle(item: Waiting, passed: boolean): void {
    clearTimeout(waiting.get(item));
    waiting.delete(item);
    item.settle(passed);
  }

  return {
    now,
    factor,
    start: scaled.start,
    realMs: scaled.realMs,
    advance(ms) {
      jumpedMs += ms;
      onJumped(jumpedMs);
      for (const item of waiting.keys()) wait(item);
      for (const wake of wakes) wake();
    },
    pause: (ms) => new Promise((resolve) => wait({ dueMs: now().getTime() + ms, settle: resolve })),
    onJump(wake) {
      wakes.push(wake);
    },
    stop() {
      for (const item of waiting.keys()) settle(item, false);
    },
  };
}
