import { operations } from '@manifold/pipedrive';
import { decidePause, endsBlock, showsTokens } from './answers/rules.ts';
import type { FinishedCall } from './commands.ts';
import { lookSoon } from './days/rules.ts';
import type { ApiWindow } from './store.ts';
import { learnOthers, move } from './windows/rules.ts';

/** What a credential or a company went through, as far as people want to hear of it. */
export type Turn = Scope &
  (
    | { turn: 'paused'; reason: 'pipedrive_blocked' | 'budget_spent'; until: Date }
    | { turn: 'resumed' }
  );
type Scope = { scope: 'credential'; credential: string } | { scope: 'company' };

/** What is known of a company's windows and its pause, changed call by call. */
export interface Learned {
  windows: Map<string, ApiWindow>;
  /** Credentials whose window changed. */
  changed: Set<string>;
  pausedUntil: Date | null;
  /** When one call may look whether a spent day has tokens. */
  probeAt: Date | null;
  turns: Turn[];
}

/** Learns from one answer: limits, calls of others in the window, blocks and their end. */
export function learn(learned: Learned, { call, at }: { call: FinishedCall; at: Date }): void {
  const window = learned.windows.get(call.credential) ?? newWindow(call);
  const isWindowKnown = call.limits.burstLimit !== undefined && call.limits.burstRemaining === 0;
  const seen = { pausedUntil: window.paused_until, blocks: window.blocks };
  const pause = decidePause({ ...call, isWindowKnown }, seen, at);
  const scope = { scope: 'credential', credential: call.credential } as const;
  let next = learnUse(leftAt(window, call), { call, at });
  if (pause.pause === 'credential') {
    const { until, reason, blocks } = pause;
    next = { ...next, paused_until: until, pause_reason: reason, blocks, probe_until: null };
    if (reason === 'pipedrive_blocked' && window.blocks === 0) {
      learned.turns.push({ ...scope, turn: 'paused', reason, until });
    }
  } else if (endsBlock(call.outcome, seen, at)) {
    next = { ...next, paused_until: null, pause_reason: null, blocks: 0, probe_until: null };
    learned.turns.push({ ...scope, turn: 'resumed' });
  }
  learnDailyPause(learned, { call, pause, at });
  if (next === window) return;
  learned.windows.set(call.credential, next);
  learned.changed.add(call.credential);
}

function learnDailyPause(
  learned: Learned,
  { call, pause, at }: { call: FinishedCall; pause: ReturnType<typeof decidePause>; at: Date },
): void {
  const { pausedUntil } = learned;
  if (pause.pause === 'company') {
    const { until } = pause;
    if (pausedUntil === null) {
      learned.turns.push({ scope: 'company', turn: 'paused', reason: 'budget_spent', until });
    }
    learned.pausedUntil = until;
    return;
  }
  if (!showsTokens(call.outcome)) {
    learned.probeAt = lookSoon(learned.probeAt, at);
    return;
  }
  if (pausedUntil === null || pausedUntil > at) return;
  learned.pausedUntil = null;
  learned.probeAt = null;
  learned.turns.push({ scope: 'company', turn: 'resumed' });
}

/** Its place counts from when it left, which under load is later than when it was given. */
function leftAt(window: ApiWindow, { admittedAt, startedAt, operation }: FinishedCall): ApiWindow {
  if (admittedAt === undefined || startedAt === undefined) return window;
  const late = { from: admittedAt, to: startedAt };
  const burst = move(window.burst, late);
  if (burst === window.burst) return window;
  const isSearch = operations[operation].lane === 'search';
  return { ...window, burst, search: isSearch ? move(window.search, late) : window.search };
}

/** The limit of the windows, and how full they are by Pipedrive's count. */
function learnUse(window: ApiWindow, { call, at }: { call: FinishedCall; at: Date }): ApiWindow {
  const { burstLimit: limit, burstRemaining: remaining, burstResetSeconds } = call.limits;
  if (limit === undefined) return window;
  const isSearch = operations[call.operation].lane === 'search';
  const known =
    isSearch || window.burst_limit === limit ? window : { ...window, burst_limit: limit };
  if (remaining === undefined) return known;
  const isFull = call.outcome === 'limited' && remaining === 0;
  const freeInMs = isFull ? (burstResetSeconds ?? 1) * 1_000 : undefined;
  const slots = isSearch ? known.search : known.burst;
  const used = learnOthers(slots, { limit, remaining, freeInMs }, at);
  if (used === slots) return known;
  return isSearch ? { ...known, search: used } : { ...known, burst: used };
}

const newWindow = (call: FinishedCall): ApiWindow => ({
  credential: call.credential,
  company_id: call.companyId,
  burst_limit: null,
  burst: [],
  search: [],
  paused_until: null,
  pause_reason: null,
  blocks: 0,
  probe_until: null,
});
