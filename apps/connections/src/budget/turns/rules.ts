import type { WorkspaceId } from '@manifold/contracts';
import {
  type Admission,
  type AskedCall,
  type BudgetPlan,
  type Day,
  decideAdmission,
  type Window,
} from '../rules.ts';
import type { Lane } from '../tables.ts';

const rank: Record<Lane, number> = { interactive: 0, event: 1, bulk: 2 };

/** A call that asks for a place, with whom it takes turns. */
export interface Asking extends AskedCall {
  workspaceId: WorkspaceId;
  credential: string;
  method: 'OAUTH' | 'API_TOKEN';
}

/** Lane by lane, and within a lane one workspace as often as another; returns places in the list. */
export function inTurn(calls: readonly Pick<Asking, 'lane' | 'workspaceId'>[]): number[] {
  const asked = new Map<string, number>();
  const placed = calls.map(({ lane, workspaceId }, index) => {
    const key = `${lane}|${workspaceId}`;
    const round = asked.get(key) ?? 0;
    asked.set(key, round + 1);
    return { index, rank: rank[lane], round };
  });
  const order = placed.toSorted(
    (a, b) => a.rank - b.rank || a.round - b.round || a.index - b.index,
  );
  return order.map(({ index }) => index);
}

export interface CompanyState {
  windows: ReadonlyMap<string, Window>;
  day: Day;
  plans: ReadonlyMap<WorkspaceId, BudgetPlan>;
}

export interface Admissions {
  /** In the order of the calls. */
  answers: Admission[];
  /** Those that changed. */
  windows: Map<string, Window>;
  reservedTokens: Map<WorkspaceId, number>;
  /** Of the day, as it is now. */
  probeAt: Date | null;
}

/** Decides about many calls to one company at once, the most urgent first. */
export function decideAdmissions(
  calls: readonly Asking[],
  state: CompanyState,
  now: Date,
): Admissions {
  const windows = new Map<string, Window>();
  const reservedTokens = new Map<WorkspaceId, number>();
  const answers: Admission[] = [];
  let { reserved, probeAt } = state.day;
  for (const index of inTurn(calls)) {
    const call = calls[index];
    const window = call && (windows.get(call.credential) ?? state.windows.get(call.credential));
    const plan = call && state.plans.get(call.workspaceId);
    if (!call || !window || !plan) throw new Error('A call of an unknown credential');
    const day = { ...state.day, reserved, probeAt };
    const { dailyTokens } = plan;
    const decision = decideAdmission({ ...call, window, day, dailyTokens, now });
    probeAt = decision.probeAt;
    if (!decision.admitted) {
      const { admitted, until, reason } = decision;
      answers[index] = { admitted, until, reason };
      continue;
    }
    windows.set(call.credential, { ...window, ...decision.window });
    reserved += call.priceTokens;
    const own = reservedTokens.get(call.workspaceId) ?? 0;
    reservedTokens.set(call.workspaceId, own + call.priceTokens);
    answers[index] = { admitted: true, at: now };
  }
  return { answers, windows, reservedTokens, probeAt };
}
