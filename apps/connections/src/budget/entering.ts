import type { WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import type { Db, Tx } from '../store.ts';
import { chargeOf, learnRemaining, showsMore } from './answers/rules.ts';
import type { FinishedCall } from './commands.ts';
import { lookSoon } from './days/rules.ts';
import { learn, type Learned } from './learning.ts';
import { wakeWaitingForDay } from './plans/store.ts';
import { expire, release } from './reservations/rules.ts';
import { type BudgetPlan, dayOf } from './rules.ts';
import {
  type ApiDay,
  listDays,
  listWindows,
  lockCompany,
  newDay,
  setDays,
  setWindows,
} from './store.ts';
import { tell } from './telling.ts';
import { callRow, usageOf } from './usage/entries.ts';
import { addUsage, insertCalls, removeCalls } from './usage/store.ts';

/** A finished call and when it ended. */
export interface Entry {
  call: FinishedCall;
  at: Date;
}

/** Enters a finished call in the ledger at once. */
export const recordCall = (
  db: Db,
  call: FinishedCall,
  at: { now: Date; plan: BudgetPlan },
): Promise<void> => enterCalls(db, [{ call, at: at.now }], at.plan);

/** Finished calls as they are entered together: those of one company on one day. */
export const groupCalls = (entries: readonly Entry[]): Entry[][] => [
  ...Map.groupBy(entries, ({ call, at }) => `${dayOf(at)}|${call.companyId}`).values(),
];

/** Enters calls of one company on one day, all or none, and learns what their answers told about limits. */
export async function enterCalls(db: Db, group: readonly Entry[], plan: BudgetPlan): Promise<void> {
  const readable = group.map(({ call, at }) => ({ call: withinReach(call), at }));
  const begun = await acrossWorkspaces(db, (tx) => enterDay(tx, readable, plan));
  // the first call of a day makes room; these are entered, whatever becomes of old ones
  for (const workspaceId of begun) {
    await removeOldCalls(db, workspaceId, group[0]?.at).catch(() => undefined);
  }
}

const MOST = 2 ** 31 - 1;

/** What headers say is anybody's number: as large as a column takes. */
function withinReach(call: FinishedCall): FinishedCall {
  const { burstLimit, dailyTokenLimit, dailyTokensRemaining } = call.limits;
  const clamp = (number: number | undefined) =>
    number === undefined || !Number.isFinite(number)
      ? undefined
      : Math.round(Math.min(MOST, Math.max(0, number)));
  const limits = {
    ...call.limits,
    burstLimit: clamp(burstLimit),
    dailyTokenLimit: clamp(dailyTokenLimit),
    dailyTokensRemaining: clamp(dailyTokensRemaining),
  };
  return { ...call, limits };
}

/** Of one company on one day; returns the workspaces it is the first for. */
async function enterDay(
  tx: Tx,
  entries: readonly Entry[],
  plan: BudgetPlan,
): Promise<WorkspaceId[]> {
  const [first] = entries;
  if (first === undefined) return [];
  const { companyId } = first.call;
  const day = dayOf(first.at);
  await lockCompany(tx, companyId);
  const credentials = [...new Set(entries.map(({ call }) => call.credential))];
  const windows = await listWindows(tx, credentials);
  const days = await listDays(tx, companyId, day);
  const made = entries.filter(({ call }) => call.outcome !== 'given_back');
  await insertCalls(tx, made.map(callRow));
  await addUsage(tx, usageOf(made, day));

  const learned: Learned = {
    windows: new Map(windows.map((window) => [window.credential, window])),
    changed: new Set(),
    pausedUntil: days[0]?.paused_until ?? null,
    probeAt: days[0]?.probe_at ?? null,
    turns: [],
  };
  for (const entry of entries) learn(learned, entry);
  const { pausedUntil, probeAt } = learned;
  const after = spend(days, entries, { companyId, day, pausedUntil, probeAt });
  const happened = { companyId, days: after, turns: learned.turns, now: first.at };
  await setDays(tx, await tell(tx, happened, plan));
  await setWindows(
    tx,
    [...learned.windows.values()].filter(({ credential }) => learned.changed.has(credential)),
  );
  const goesOn = learned.turns.some(({ scope, turn }) => scope === 'company' && turn === 'resumed');
  if (goesOn || showsMore(days[0], after[0])) await wakeWaitingForDay(tx, companyId, first.at);
  return after.flatMap(({ workspace_id, spent_tokens }) => {
    const before = days.find((one) => one.workspace_id === workspace_id)?.spent_tokens ?? 0;
    return before === 0 && spent_tokens > 0 ? [workspace_id] : [];
  });
}

/** Every workspace's share of the day after these calls; what is about the company is in all of them. */
function spend(
  days: readonly ApiDay[],
  entries: readonly Entry[],
  of: { companyId: string; day: string; pausedUntil: Date | null; probeAt: Date | null },
): ApiDay[] {
  const own = new Map(days.map((day) => [day.workspace_id, day]));
  let { probeAt } = of;
  let { learned_limit: limit = null, learned_remaining: remaining = null } = days[0] ?? {};
  for (const { call, at } of entries) {
    const { workspaceId, limits } = call;
    const known = own.get(workspaceId) ?? newDay({ ...of, workspaceId });
    const { kept, lostTokens } = expire(known.reserved, at);
    // it may be the one that looked whose end nobody told
    if (lostTokens > 0) probeAt = lookSoon(probeAt, at);
    const tokens = chargeOf(call);
    const { admittedAt, priceTokens } = call;
    own.set(workspaceId, {
      ...known,
      spent_tokens: known.spent_tokens + tokens + lostTokens,
      reserved: admittedAt === undefined ? kept : release(kept, priceTokens, admittedAt),
    });
    limit = limits.dailyTokenLimit ?? limit;
    const heard = { remaining: limits.dailyTokensRemaining, charged: tokens, limit };
    remaining = learnRemaining(remaining, heard);
  }
  const spent = [...own.values()].reduce((sum, day) => sum + day.spent_tokens, 0);
  return [...own.values()].map((day) => ({
    ...day,
    company_spent_tokens: spent,
    learned_limit: limit,
    learned_remaining: remaining,
    paused_until: of.pausedUntil,
    probe_at: probeAt,
  }));
}

export const KEEP_CALLS_MS = 30 * 24 * 3_600_000;
const CALLS_AT_ONCE = 2_000;
/** More calls than a company can make in a day. */
const MOST_BATCHES = 200;

async function removeOldCalls(db: Db, workspaceId: WorkspaceId, now = new Date(0)): Promise<void> {
  const of = { before: new Date(now.getTime() - KEEP_CALLS_MS), limit: CALLS_AT_ONCE };
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    const count = await withWorkspace(db, workspaceId, (tx) => removeCalls(tx, workspaceId, of));
    if (count < of.limit) return;
  }
}
