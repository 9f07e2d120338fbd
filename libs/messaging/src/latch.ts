import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A wake-up that is never lost: `set` before or during `wait` ends the wait at once; otherwise the
 * wait ends after `pollMs`. Also ends when `signal` aborts.
 */
export function createLatch(pollMs: number, signal: AbortSignal) {
  let raised = false;
  let wake: (() => void) | undefined;
  return {
    set: (): void => {
      raised = true;
      wake?.();
    },
    wait: async (): Promise<void> => {
      if (!raised && !signal.aborted) {
        const timer = new AbortController();
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const poll = sleep(pollMs, undefined, { signal: AbortSignal.any([signal, timer.signal]) });
        await Promise.race([woken, poll.catch(() => undefined)]);
        timer.abort();
        wake = undefined;
      }
      raised = false;
    },
  };
}
