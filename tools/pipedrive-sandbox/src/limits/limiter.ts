import type { Actor } from '../http/actor.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Operation } from '../operations.ts';
import type { LimitRules } from './limits.ts';

export interface Verdict {
  allowed: boolean;
  headers: Record<string, string>;
}

export interface Limiter {
  rules: LimitRules;
  /** Counts the request and says whether it may pass. A refused request is not counted and costs nothing. */
  admit(actor: Actor, operation: Operation): Verdict;
}

const WINDOW_MS = 2_000;

/** Rolling two-second windows per token, and the account's daily budget from the ledger. */
export function createLimiter(rules: LimitRules, ledger: Ledger, now: () => Date): Limiter {
  const windows = new Map<string, number[]>();

  function recent(key: string, nowMs: number): number[] {
    const kept = (windows.get(key) ?? []).filter((at) => at > nowMs - WINDOW_MS);
    windows.set(key, kept);
    return kept;
  }

  const limiter: Limiter = {
    rules,
    admit(actor, operation) {
      const { rules: current } = limiter;
      const nowMs = now().getTime();
      if (windows.size > 1_000) forgetIdle(windows, nowMs);
      const burst = actor.kind === 'oauth' ? current.oauth : current.apiToken;
      const checks = [
        { limit: burst, at: recent(`all ${actor.token}`, nowMs) },
        ...(isSearch(operation)
          ? [{ limit: current.search, at: recent(`search ${actor.token}`, nowMs) }]
          : []),
      ];
      const full = checks.find(({ limit, at }) => limit !== null && at.length >= limit);
      const spent = ledger.tokensToday();
      const daily = current.dailyTokens;
      const broke = daily !== null && spent + operation.price > daily;
      const allowed = full === undefined && !broke;
      if (allowed) for (const { at } of checks) at.push(nowMs);
      const left =
        daily === null ? 0 : Math.max(0, daily - spent - (allowed ? operation.price : 0));
      return {
        allowed,
        headers: {
          ...burstHeaders(full ?? checks.at(-1), nowMs),
          ...(daily !== null && current.dailyHeaders
            ? {
                'x-daily-ratelimit-token-limit': String(daily),
                'x-daily-ratelimit-token-remaining': String(broke ? 0 : left),
              }
            : {}),
        },
      };
    },
  };
  return limiter;
}

function burstHeaders(
  check: { limit: number | null; at: number[] } | undefined,
  nowMs: number,
): Record<string, string> {
  if (check === undefined || check.limit === null) return {};
  const resetMs = (check.at[0] ?? nowMs) + WINDOW_MS - nowMs;
  return {
    'x-ratelimit-limit': String(check.limit),
    'x-ratelimit-remaining': String(Math.max(0, check.limit - check.at.length)),
    'x-ratelimit-reset': String(Math.max(1, Math.ceil(resetMs / 1000))),
  };
}

/** Pipedrive does not list the members of the search window; every search path is one here. */
function isSearch({ path }: Operation): boolean {
  return path.startsWith('/itemSearch') || path.endsWith('/search');
}

function forgetIdle(windows: Map<string, number[]>, nowMs: number): void {
  for (const [key, at] of windows) if ((at.at(-1) ?? 0) <= nowMs - WINDOW_MS) windows.delete(key);
}
