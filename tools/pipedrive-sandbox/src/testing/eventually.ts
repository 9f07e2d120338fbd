import { setTimeout as wait } from 'node:timers/promises';

/** Retries an assertion until it holds. */
export async function eventually(assertion: () => unknown, deadlineMs = 5_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await wait(10);
    }
  }
}
