import type { Identity } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';

/** How many subscriptions are open at once: of one key, of one workspace, in one process. */
export const PLACES = { key: 20, workspace: 200, process: 2_000 };

/** Keeps count; a place is free again when the returned function is called. */
export function createPlaces(most: typeof PLACES = PLACES) {
  const taken = new Map<string, number>();
  const count = (name: string) => taken.get(name) ?? 0;
  const change = (name: string, by: number) => {
    const now = count(name) + by;
    if (now === 0) taken.delete(name);
    else taken.set(name, now);
  };
  return (caller: Identity): (() => void) => {
    const names = [
      [`key ${caller.apiKeyId}`, most.key],
      [`workspace ${caller.workspaceId}`, most.workspace],
      ['process', most.process],
    ] as const;
    if (names.some(([name, limit]) => count(name) >= limit)) throw tooMany();
    for (const [name] of names) change(name, 1);
    return () => {
      for (const [name] of names) change(name, -1);
    };
  };
}

const tooMany = (): Refusal =>
  new Refusal('limited', 'Too many subscriptions are open', {
    reason: 'too_many_items',
    fix: 'Close one that is not needed; what is shown on one page can often share one.',
  });
