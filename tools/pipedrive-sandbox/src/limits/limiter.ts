import type { Actor } from '../http/actor.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Operation } from '../operations.ts';
import { createEdge, type Edge } from './edge.ts';
import type { LimitRules } from './limits.ts';
import { createWindows, type Outcome, WINDOW_MS, type Windows } from './windows.ts';

export interface Verdict {
  outcome: Outcome;
  headers: Record<string, string>;
}

export interface Limiter {
  rules: LimitRules;
  windows: Windows;
  edge: Edge;
  /** Counts the request and says whether it may pass. A refused request is not counted and costs nothing. */
  admit(actor: Actor, operation: Operation): Verdict;
}

interface Check {
  limit: number | null;
  /** When the requests of the last two seconds came. */
  at: number[];
}

/** Rolling two-second windows per caller, and the account's daily budget from the ledger. */
export function createLimiter(rules: LimitRules, ledger: Ledger, now: () => Date): Limiter {
  const recent = createRecent();
  const windows = createWindows();
  const edge = createEdge();

  const limiter: Limiter = {
    rules,
    windows,
    edge,
    admit(actor, operation) {
      const { rules: current } = limiter;
      const nowMs = now().getTime();
      const caller = callerOf(actor);
      const search = isSearch(operation);
      const note = (outcome: Outcome, { limit, at }: Check) =>
        windows.note({ nowMs, caller, outcome, search, inUse: at.length, limit });
      const all: Check = {
        limit: actor.kind === 'oauth' ? current.oauth : current.apiToken,
        at: recent(`all ${caller}`, nowMs),
      };
      if (edge.blocks(caller, nowMs)) {
        note('blocked', all);
        return { outcome: 'blocked', headers: {} };
      }
      const searches = { limit: current.search, at: recent(`search ${caller}`, nowMs) };
      const checks = search ? [all, searches] : [all];
      const full = checks.find(({ limit, at }) => limit !== null && at.length >= limit);
      const spent = ledger.tokensToday();
      const broke = current.dailyTokens !== null && spent + operation.price > current.dailyTokens;
      const outcome = full === undefined && !broke ? 'admitted' : 'refused';
      if (outcome === 'refused') edge.noteRefusal(caller, nowMs, current.blockAfter);
      else for (const { limit, at } of checks) if (limit !== null) at.push(nowMs);
      note(outcome, all);
      const after = spent + (outcome === 'admitted' ? operation.price : 0);
      const headers = {
        ...burstHeaders(full ?? checks.at(-1), nowMs),
        ...dailyHeaders(current, broke ? Number.POSITIVE_INFINITY : after),
      };
      return { outcome, headers };
    },
  };
  return limiter;
}

/** A refreshed token is no new caller. */
function callerOf({ kind, user, app }: Actor): string {
  return app === undefined ? `${kind} ${user.id}` : `${kind} ${app.clientId} ${user.id}`;
}

function createRecent(): (key: string, nowMs: number) => number[] {
  const windows = new Map<string, number[]>();
  return (key, nowMs) => {
    if (windows.size > 1_000) forgetIdle(windows, nowMs);
    const at = windows.get(key) ?? [];
    const keptFrom = at.findIndex((time) => time > nowMs - WINDOW_MS);
    if (keptFrom !== 0) at.splice(0, keptFrom === -1 ? at.length : keptFrom);
    windows.set(key, at);
    return at;
  };
}

function dailyHeaders(rules: LimitRules, spent: number): Record<string, string> {
  const { dailyTokens: daily, dailyHeaders: shown } = rules;
  if (daily === null || !shown) return {};
  return {
    'x-daily-ratelimit-token-limit': String(daily),
    'x-daily-ratelimit-token-remaining': String(Math.max(0, daily - spent)),
  };
}

function burstHeaders(check: Check | undefined, nowMs: number): Record<string, string> {
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
