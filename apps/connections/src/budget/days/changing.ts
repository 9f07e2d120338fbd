import type { WorkspaceId } from '@manifold/contracts';
import { expire, reserve } from '../reservations/rules.ts';
import { type Day, dayOf } from '../rules.ts';
import { type ApiDay, newDay } from '../store.ts';
import type { Lane } from '../tables.ts';
import { lookSoon } from './rules.ts';

/** The day of a company from what each workspace has of it; what nobody told the end of counts as spent. */
export function companyDay(days: readonly ApiDay[], now: Date): Day {
  const expired = days.map((day) => expire(day.reserved, now));
  const sum = (of: readonly number[]) => of.reduce((total, one) => total + one, 0);
  const lost = sum(expired.map(({ lostTokens }) => lostTokens));
  const { probe_at: probeAt = null } = days[0] ?? {};
  return {
    spent: sum(days.map(({ spent_tokens }) => spent_tokens)) + lost,
    reserved: sum(expired.flatMap(({ kept }) => kept.map(([, tokens]) => tokens))),
    learnedLimit: days[0]?.learned_limit ?? null,
    learnedRemaining: days[0]?.learned_remaining ?? null,
    pausedUntil: days[0]?.paused_until ?? null,
    // it may be the one that looked whose end nobody told
    probeAt: lost > 0 ? lookSoon(probeAt, now) : probeAt,
  };
}

/** What calls that were decided about change of a company's day. */
interface Decided {
  reservedTokens: ReadonlyMap<WorkspaceId, number>;
  /** Of the workspaces in which a lane stops or goes on: all that are stopped now. */
  stops: ReadonlyMap<WorkspaceId, Lane[]>;
  probeAt: Date | null;
  companyId: string;
  now: Date;
}

/** The days as they are now, of those workspaces for which they are not what they were. */
export function changedDays(days: readonly ApiDay[], decided: Decided): ApiDay[] {
  const { reservedTokens, stops, probeAt } = decided;
  const isProbeNew = Number(days[0]?.probe_at ?? null) !== Number(probeAt);
  const changed = new Set([
    ...reservedTokens.keys(),
    ...stops.keys(),
    // the same in all of them
    ...(isProbeNew ? days.map(({ workspace_id }) => workspace_id) : []),
  ]);
  return [...changed].map((workspaceId) => changedDay(days, workspaceId, decided));
}

function changedDay(
  days: readonly ApiDay[],
  workspaceId: WorkspaceId,
  { reservedTokens, stops, probeAt, companyId, now }: Decided,
): ApiDay {
  const own = days.find((day) => day.workspace_id === workspaceId);
  const { kept, lostTokens } = expire(own?.reserved ?? [], now);
  const tokens = reservedTokens.get(workspaceId) ?? 0;
  return {
    ...newDay({ workspaceId, companyId, day: dayOf(now) }),
    // what is about the company is the same in all of them
    ...days[0],
    workspace_id: workspaceId,
    spent_tokens: (own?.spent_tokens ?? 0) + lostTokens,
    told_percent: own?.told_percent ?? 0,
    probe_at: probeAt,
    stopped_lanes: stops.get(workspaceId) ?? own?.stopped_lanes ?? [],
    reserved: tokens === 0 ? kept : reserve(kept, tokens, now),
  };
}
