import { randomUUID } from 'node:crypto';
import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { type CallReport, type OperationName, operations } from '@manifold/pipedrive';
import type { Db } from '../store.ts';
import { chargeOf, decidePause, learnRemaining } from './answers/rules.ts';
import { type Admission, type BudgetPlan, dayOf, decideAdmission } from './rules.ts';
import { listDays, lockDay, lockWindow, setDay, setWindow } from './store.ts';
import type { Lane } from './tables.ts';
import { addUsage, insertCall, removeCalls } from './usage/store.ts';

export type { Admission, BudgetPlan } from './rules.ts';

/** What a client is wanted for; hand it to `clientFor(workspaceId, connectionId, use)`. */
export interface ApiUse {
  lane: Lane;
  /** The service or noun the tokens are spent for, e.g. `referrals`, `fields`, `contacts`. */
  feature: string;
}

export interface PlannedCall extends ApiUse {
  workspaceId: WorkspaceId;
  connectionId: ConnectionId;
  companyId: string;
  method: 'OAUTH' | 'API_TOKEN';
  operation: OperationName;
}

export type FinishedCall = Omit<PlannedCall, 'method'> &
  Pick<CallReport, 'priceTokens' | 'status' | 'outcome' | 'limited' | 'limits'>;

/**
 * Takes a place in the windows of the credential and looks at the company's day. The windows are
 * rows in Postgres, locked for the moment of counting, so any number of replicas count as one.
 */
export async function admitCall(
  db: Db,
  call: PlannedCall,
  at: { now: Date; plan: BudgetPlan },
): Promise<Admission> {
  // the day belongs to the Pipedrive company, which several workspaces may be connected to
  return acrossWorkspaces(db, async (tx) => {
    const window = await lockWindow(tx, call);
    const operation = operations[call.operation];
    const day = dayOf(at.now);
    const decision = decideAdmission({
      lane: call.lane,
      priceTokens: operation.priceTokens,
      isSearch: operation.lane === 'search',
      window: {
        burstLimit: window.burst_limit ?? at.plan.burst[call.method],
        burst: window.burst,
        search: window.search,
        pausedUntil: window.paused_until,
        pauseReason: window.pause_reason ?? 'burst_limited',
      },
      days: await listDays(tx, call.companyId, day),
      dailyTokens: at.plan.dailyTokens,
      now: at.now,
    });
    if (!decision.admitted) return decision;
    const { burst, search } = decision;
    await setWindow(tx, call, { burst, search });
    const held = await lockDay(tx, { ...call, day });
    await setDay(tx, held, { reserved_tokens: held.reserved_tokens + operation.priceTokens });
    return { admitted: true };
  });
}

const KEEP_CALLS_MS = 30 * 24 * 3_600_000;
const CALLS_AT_ONCE = 2_000;
/** More calls than a company can make in a day. */
const MOST_BATCHES = 200;

/** Enters a finished call in the ledger and learns what its answer told about limits. */
export async function recordCall(db: Db, call: FinishedCall, now: Date): Promise<void> {
  const tokens = chargeOf(call);
  const { workspaceId, connectionId, companyId, operation, feature, lane, limits } = call;
  const of = {
    workspace_id: workspaceId,
    connection_id: connectionId,
    company_id: companyId,
    operation,
    feature,
    tokens,
  };
  const pause = decidePause(call, now);
  const isFirst = await withWorkspace(db, workspaceId, async (tx) => {
    // always window before day, as every writer of both
    if (pause.pause === 'credential') {
      await lockWindow(tx, call);
      await setWindow(tx, call, { paused_until: pause.until, pause_reason: pause.reason });
    }
    if (limits.burstLimit !== undefined && operations[operation].lane === 'other') {
      await setWindow(tx, call, { burst_limit: limits.burstLimit });
    }
    const status = call.status ?? null;
    await insertCall(tx, { ...of, id: callId(now), status, outcome: call.outcome, lane, at: now });
    const day = await lockDay(tx, { workspaceId, companyId, day: dayOf(now) });
    await addUsage(tx, { ...of, day: day.day });
    await setDay(tx, day, {
      spent_tokens: day.spent_tokens + tokens,
      reserved_tokens: Math.max(0, day.reserved_tokens - call.priceTokens),
      learned_limit: limits.dailyTokenLimit ?? day.learned_limit,
      learned_remaining: learnRemaining(day.learned_remaining, {
        remaining: limits.dailyTokensRemaining,
        charged: tokens,
        limit: limits.dailyTokenLimit ?? day.learned_limit,
      }),
      paused_until: pause.pause === 'company' ? pause.until : day.paused_until,
    });
    return day.spent_tokens === 0;
  });
  // the first call of a day makes room, once it is entered itself
  if (isFirst) await removeOldCalls(db, workspaceId, now);
}

async function removeOldCalls(db: Db, workspaceId: WorkspaceId, now: Date): Promise<void> {
  const of = { before: new Date(now.getTime() - KEEP_CALLS_MS), limit: CALLS_AT_ONCE };
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    const count = await withWorkspace(db, workspaceId, (tx) => removeCalls(tx, workspaceId, of));
    if (count < of.limit) return;
  }
}

/** Sorts by time, so that the ledger's index grows at one end. */
const callId = (now: Date): string =>
  `${now.getTime().toString(16).padStart(12, '0')}${randomUUID().slice(-12)}`;
