import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from '@manifold/dev/installation';
import { beginWindows, readWindows, WINDOW_MS, type Windows } from './windows.ts';

/**
 * Calls with nothing behind them, as fast as a limit allows and no faster: one leaves two seconds after
 * the answer to the one that many places before it. Goes on for so many full windows.
 */
export async function fireAtLimit(
  manifold: Installation,
  { limit, fullWindows, path }: { limit: number; fullWindows: number; path: string },
): Promise<Windows> {
  await beginWindows(manifold);
  const answeredAt: number[] = [];
  // the first and the last window are never full
  const endsAt = performance.now() + (fullWindows + 2) * WINDOW_MS;
  while (performance.now() < endsAt) {
    const earlier = answeredAt.at(-limit);
    const restMs = earlier === undefined ? 0 : earlier + WINDOW_MS - performance.now();
    if (restMs > 0) await sleep(restMs);
    await manifold.pipedrive(path);
    answeredAt.push(performance.now());
  }
  return readWindows(manifold);
}
