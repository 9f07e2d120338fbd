/**
 * Limits how much is done at once: `total` in all, `each` of one kind. Work waits in the order it
 * came, but what would exceed its kind's share lets others pass.
 */
export function createSlots({ total, each }: { total: number; each: number }) {
  const waiting = new Set<{ kind: string; begin: () => void }>();
  const busy = new Map<string, number>();
  let used = 0;
  const beginNext = (): void => {
    for (const one of waiting) {
      if (used >= total) return;
      const own = busy.get(one.kind) ?? 0;
      if (own >= each) continue;
      waiting.delete(one);
      busy.set(one.kind, own + 1);
      used += 1;
      one.begin();
    }
  };
  const release = (kind: string): void => {
    const own = (busy.get(kind) ?? 1) - 1;
    if (own === 0) busy.delete(kind);
    else busy.set(kind, own);
    used -= 1;
    beginNext();
  };
  return {
    countWaiting: (): number => waiting.size,
    run: async <Result>(kind: string, work: () => Promise<Result>): Promise<Result> => {
      await new Promise<void>((begin) => {
        waiting.add({ kind, begin });
        beginNext();
      });
      try {
        return await work();
      } finally {
        release(kind);
      }
    },
  };
}
