import type { WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { operations } from '@manifold/pipedrive';
import type { Db } from '../store.ts';
import type { PlannedCall } from './commands.ts';
import { changedDays, companyDay } from './days/changing.ts';
import { turnCompanyLanes } from './lanes/commands.ts';
import { effectivePlan } from './plans/rules.ts';
import { listPlans } from './plans/store.ts';
import { type Admission, type BudgetPlan, dayOf, type Window } from './rules.ts';
import {
  type ApiWindow,
  listDays,
  listWindows,
  lockCompany,
  setDays,
  setWindows,
} from './store.ts';
import { type Asking, decideAdmissions } from './turns/rules.ts';

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
    const day = companyDay(days, now);
    const windows = windowsOf(asking, { stored, plans });
    const decided = decideAdmissions(asking, { windows, day, plans }, now);
    await setWindows(tx, [...decided.windows].map(storedWindow(companyId, stored)));
    const judged = { companyId, asking, answers: decided.answers, day, plans, now };
    const stops = await turnCompanyLanes(tx, days, judged);
    await setDays(tx, changedDays(days, { ...decided, stops, companyId, now }));
    return decided.answers;
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
