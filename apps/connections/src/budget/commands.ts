import type { ChangeSetId, ConnectionId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { type CallReport, type OperationName, operations } from '@manifold/pipedrive';
import type { Db } from '../store.ts';
import { effectivePlan } from './plans/rules.ts';
import { listPlans } from './plans/store.ts';
import { expire, reserve } from './reservations/rules.ts';
import { type Admission, type BudgetPlan, type Day, dayOf, type Window } from './rules.ts';
import {
  type ApiDay,
  type ApiWindow,
  listDays,
  listWindows,
  lockCompany,
  newDay,
  setDays,
  setWindows,
} from './store.ts';
import type { Lane } from './tables.ts';
import { type Asking, decideAdmissions } from './turns/rules.ts';

export type { Admission, BudgetPlan } from './rules.ts';

/** What a client is wanted for; hand it to `clientFor(workspaceId, connectionId, use)`. */
export interface ApiUse {
  lane: Lane;
  /** The service or noun the tokens are spent for, e.g. `referrals`, `fields`, `contacts`. */
  feature: string;
  /** The job it is part of. */
  changeSetId?: ChangeSetId | undefined;
}

export interface PlannedCall extends ApiUse {
  workspaceId: WorkspaceId;
  connectionId: ConnectionId;
  companyId: string;
  /** What Pipedrive counts bursts by; see `credentialOf`. */
  credential: string;
  method: 'OAUTH' | 'API_TOKEN';
  operation: OperationName;
}

export type FinishedCall = Omit<PlannedCall, 'method'> &
  Pick<CallReport, 'priceTokens' | 'status' | 'outcome' | 'limited' | 'limits'> & {
    /** When it was given its place; absent for calls that asked for none. */
    admittedAt?: Date | undefined;
    /** When it left. */
    startedAt?: Date | undefined;
  };

/** Workspaces share a grant, and one user's API token; Pipedrive counts the bursts of each as one. */
export const credentialOf = (connection: {
  grant_id: string | null;
  company_id: string;
  pipedrive_user_id: string;
}): string =>
  connection.grant_id ?? `user:${connection.company_id}:${connection.pipedrive_user_id}`;

interface At {
  now: Date;
  plan: BudgetPlan;
}

/** As `admitCalls`, for one. */
export async function admitCall(db: Db, call: PlannedCall, at: At): Promise<Admission> {
  const [answer] = await admitCalls(db, [call], at);
  if (answer === undefined) throw new Error('A call was not decided about');
  return answer;
}

/**
 * Takes places in the windows of credentials and looks at the company's day, for calls to one
 * company. All of it is rows in Postgres under one lock, so any number of replicas count as one.
 */
export async function admitCalls(
  db: Db,
  calls: readonly PlannedCall[],
  { now, plan }: At,
): Promise<Admission[]> {
  const companyId = calls[0]?.companyId ?? '';
  const asking = calls.map(askingOf);
  const workspaceIds = [...new Set(asking.map(({ workspaceId }) => workspaceId))];
  // the day belongs to the Pipedrive company, which several workspaces may be connected to
  return acrossWorkspaces(db, async (tx) => {
    await lockCompany(tx, companyId);
    const stored = await listWindows(tx, [...new Set(asking.map((call) => call.credential))]);
    const days = await listDays(tx, companyId, dayOf(now));
    const said = await listPlans(tx, [companyId], workspaceIds);
    const plans = new Map(
      workspaceIds.map((id) => {
        const own = said.find(({ workspace_id }) => workspace_id === id);
        return [id, effectivePlan(own, plan)] as const;
      }),
    );
    const state = {
      windows: windowsOf(asking, { stored, plans }),
      day: companyDay(days, now),
      plans,
    };
    const { answers, windows, reservedTokens } = decideAdmissions(asking, state, now);
    await setWindows(tx, [...windows].map(storedWindow(companyId, stored)));
    await setDays(tx, reservedDays(days, reservedTokens, { companyId, now }));
    return answers;
  });
}

/** The days of the workspaces whose calls were admitted, with what is now reserved for them. */
function reservedDays(
  days: readonly ApiDay[],
  reservedTokens: ReadonlyMap<WorkspaceId, number>,
  { companyId, now }: { companyId: string; now: Date },
): ApiDay[] {
  return [...reservedTokens].map(([workspaceId, tokens]) => {
    const own = days.find((day) => day.workspace_id === workspaceId);
    const { kept, lostTokens } = expire(own?.reserved ?? [], now);
    return {
      ...newDay({ workspaceId, companyId, day: dayOf(now) }),
      // what is about the company is the same in all of them
      ...days[0],
      workspace_id: workspaceId,
      spent_tokens: (own?.spent_tokens ?? 0) + lostTokens,
      told_percent: own?.told_percent ?? 0,
      reserved: reserve(kept, tokens, now),
    };
  });
}

const askingOf = ({ workspaceId, credential, method, lane, operation }: PlannedCall): Asking => ({
  workspaceId,
  credential,
  method,
  lane,
  priceTokens: operations[operation].priceTokens,
  isSearch: operations[operation].lane === 'search',
});

function windowsOf(
  asking: readonly Asking[],
  known: { stored: readonly ApiWindow[]; plans: ReadonlyMap<WorkspaceId, BudgetPlan> },
): Map<string, Window> {
  return new Map(
    asking.map(({ credential, workspaceId, method }) => {
      const window = known.stored.find((one) => one.credential === credential);
      const assumed = known.plans.get(workspaceId)?.burst[method] ?? 1;
      return [credential, readWindow(window, assumed)];
    }),
  );
}

export const readWindow = (window: ApiWindow | undefined, assumedLimit: number): Window => ({
  burstLimit: window?.burst_limit ?? assumedLimit,
  burst: window?.burst ?? [],
  search: window?.search ?? [],
  pausedUntil: window?.paused_until ?? null,
  pauseReason: window?.pause_reason ?? 'burst_limited',
  blocks: window?.blocks ?? 0,
  probeUntil: window?.probe_until ?? null,
});

const storedWindow =
  (companyId: string, stored: readonly ApiWindow[]) =>
  ([credential, { burst, search, probeUntil, blocks, pausedUntil, pauseReason }]: [
    string,
    Window,
  ]): ApiWindow => ({
    credential,
    company_id: companyId,
    burst_limit: stored.find((one) => one.credential === credential)?.burst_limit ?? null,
    burst,
    search,
    paused_until: pausedUntil,
    pause_reason: pausedUntil === null ? null : pauseReason,
    blocks,
    probe_until: probeUntil,
  });

/** The day of a company from what each workspace has of it; what nobody told the end of counts as spent. */
export function companyDay(days: readonly ApiDay[], now: Date): Day {
  const expired = days.map((day) => expire(day.reserved, now));
  const sum = (of: readonly number[]) => of.reduce((total, one) => total + one, 0);
  const lost = sum(expired.map(({ lostTokens }) => lostTokens));
  return {
    spent: sum(days.map(({ spent_tokens }) => spent_tokens)) + lost,
    reserved: sum(expired.flatMap(({ kept }) => kept.map(([, tokens]) => tokens))),
    learnedLimit: days[0]?.learned_limit ?? null,
    learnedRemaining: days[0]?.learned_remaining ?? null,
    pausedUntil: days[0]?.paused_until ?? null,
  };
}
