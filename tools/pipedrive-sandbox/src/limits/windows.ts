export const WINDOW_MS = 2_000;

export type Outcome = 'admitted' | 'refused' | 'blocked';

/** Two seconds of one caller's requests. */
export interface Window {
  /** When it begins, by the sandbox's clock. */
  at: string;
  /** `api_token <user id>` or `oauth <client id> <user id>`. */
  caller: string;
  admitted: number;
  /** Answered with 429. */
  refused: number;
  /** Answered at the edge, after too many 429s. */
  blocked: number;
  searches: number;
  /** The most requests in any two seconds that end in this window; null when nothing limits them. */
  mostInUse: number | null;
  /** How many may be in use. */
  limit: number | null;
}

export interface Windows {
  note(request: WindowRequest): void;
  /** The newest first. */
  list(count: number): Window[];
  /** Of all windows that are kept. */
  summary(): WindowSummary;
  clear(): void;
}

export interface WindowRequest {
  nowMs: number;
  caller: string;
  outcome: Outcome;
  search: boolean;
  inUse: number;
  limit: number | null;
}

export interface WindowSummary {
  admitted: number;
  refused: number;
  blocked: number;
  /** 429s of all answers. */
  refusedShare: number;
  mostInUse: number;
  /** Admitted requests of what the full windows between a caller's first and last one allowed; null without limits. */
  used: number | null;
}

const KEPT = 5_000;

/** Remembers how the burst windows were used, in memory and bounded. */
export function createWindows(): Windows {
  let kept: Window[] = [];
  const current = new Map<string, Window>();

  function windowAt({ nowMs, caller, limit }: WindowRequest): Window {
    const at = new Date(Math.floor(nowMs / WINDOW_MS) * WINDOW_MS).toISOString();
    const known = current.get(caller);
    if (known?.at === at) return known;
    const counts = { admitted: 0, refused: 0, blocked: 0, searches: 0, mostInUse: null };
    const opened = { at, caller, ...counts, limit };
    kept.push(opened);
    if (kept.length > KEPT * 2) kept = kept.slice(-KEPT);
    current.set(caller, opened);
    return opened;
  }

  return {
    note(request) {
      const window = windowAt(request);
      window[request.outcome] += 1;
      window.limit = request.limit;
      if (request.outcome === 'admitted' && request.search) window.searches += 1;
      if (request.limit !== null) window.mostInUse = Math.max(window.mostInUse ?? 0, request.inUse);
    },
    list: (count) => kept.slice(-count).reverse(),
    summary: () => summarize(kept),
    clear() {
      kept = [];
      current.clear();
    },
  };
}

function summarize(windows: Window[]): WindowSummary {
  const total = (key: Outcome) => windows.reduce((sum, window) => sum + window[key], 0);
  const [admitted, refused, blocked] = [total('admitted'), total('refused'), total('blocked')];
  const answers = admitted + refused + blocked;
  return {
    admitted,
    refused,
    blocked,
    refusedShare: answers === 0 ? 0 : refused / answers,
    mostInUse: Math.max(0, ...windows.map((window) => window.mostInUse ?? 0)),
    used: usedOf(windows),
  };
}

/** The first and the last window of a caller were begun late or left early; idle ones in between count as unused. */
function usedOf(windows: Window[]): number | null {
  let [taken, possible] = [0, 0];
  for (const own of Map.groupBy(windows, ({ caller }) => caller).values()) {
    const [first, last] = [Date.parse(own[0]?.at ?? ''), Date.parse(own.at(-1)?.at ?? '')];
    const limit = own.at(-1)?.limit ?? null;
    const full = (last - first) / WINDOW_MS - 1;
    if (limit === null || !(full > 0)) continue;
    taken += own.slice(1, -1).reduce((sum, window) => sum + window.admitted, 0);
    possible += full * limit;
  }
  return possible === 0 ? null : taken / possible;
}
