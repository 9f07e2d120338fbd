import { stop } from './failures.ts';
import { RUN_LIMITS } from './limits.ts';

/** Counts what the evaluation that runs now has used. There is one: evaluating never waits. */
export interface Meter {
  start(): void;
  charge(steps: number): void;
  /** Charges for a text or list that was made, and refuses one that is too long. */
  weigh(value: unknown): void;
  /** Refuses the whole evaluation when something in it went too far, whoever swallowed the error. */
  settle(): void;
}

const CHARS_PER_STEP = 64;
/** Steps between two looks at the clock. */
const LOOK_EVERY = 64;

export function createMeter(): Meter {
  let steps = 0;
  let nextLook = 0;
  let startedAt = 0;
  let broken: 'too_expensive' | 'too_large' | undefined;

  const refuse = (code: 'too_expensive' | 'too_large'): never => stop((broken = code));

  const charge = (amount: number): void => {
    // an error that was swallowed is thrown again, until all of it has ended
    if (broken !== undefined) stop(broken);
    steps += amount;
    if (steps > RUN_LIMITS.steps) refuse('too_expensive');
    if (steps < nextLook) return;
    nextLook = steps + LOOK_EVERY;
    if (cpuMs() - startedAt > RUN_LIMITS.cpuMs) refuse('too_expensive');
  };

  const weighText = (chars: number): void => {
    if (chars > RUN_LIMITS.textChars) refuse('too_large');
    charge(1 + Math.ceil(chars / CHARS_PER_STEP));
  };

  return {
    start() {
      steps = 0;
      nextLook = LOOK_EVERY;
      broken = undefined;
      startedAt = cpuMs();
    },
    charge,
    weigh(value) {
      if (typeof value === 'string') return weighText(value.length);
      if (value instanceof Uint8Array) return weighText(value.length);
      if (!Array.isArray(value)) return charge(1);
      if (value.length > RUN_LIMITS.listItems) refuse('too_large');
      charge(1 + value.length);
    },
    settle() {
      if (broken !== undefined) stop(broken);
    },
  };
}

/** Time of this thread alone: a busy machine makes no expression expensive. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
