/** Shuts out callers that go on after many 429s. */
export interface Edge {
  /** Whether this caller is shut out at this moment. */
  blocks(caller: string, nowMs: number): boolean;
  /** Notes a 429, which may be one too many; `blockAfter` is how many within ten seconds are. */
  noteRefusal(caller: string, nowMs: number, blockAfter: number | null): void;
  clear(): void;
}

const COUNTED_MS = 10_000;
const BLOCK_MS = 60_000;

export function createEdge(): Edge {
  const refusals = new Map<string, number[]>();
  const blockedUntil = new Map<string, number>();
  return {
    blocks: (caller, nowMs) => (blockedUntil.get(caller) ?? 0) > nowMs,
    noteRefusal(caller, nowMs, blockAfter) {
      if (blockAfter === null) return;
      const recent = (refusals.get(caller) ?? []).filter((at) => at > nowMs - COUNTED_MS);
      recent.push(nowMs);
      refusals.set(caller, recent);
      if (recent.length < blockAfter) return;
      blockedUntil.set(caller, nowMs + BLOCK_MS);
      refusals.delete(caller);
    },
    clear() {
      refusals.clear();
      blockedUntil.clear();
    },
  };
}
