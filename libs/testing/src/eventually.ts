import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * Repeats an assertion every 20 ms until it holds, and returns what it returned; for effects that arrive by
 * message. After `timeoutMs` (15,000 when absent, as machines may be busy) the assertion's own last error is thrown.
 */
export async function eventually<Result>(
  assertion: () => Result | Promise<Result>,
  { timeoutMs = 15_000 }: { timeoutMs?: number } = {},
): Promise<Result> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}
