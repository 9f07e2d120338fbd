import { BudgetChanged, type ConnectionId } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { type Origin, publish } from '@manifold/messaging';
import { requireDeciding } from '../../accounts/ownership/commands.ts';
import type { Manager } from '../../accounts/ownership/rules.ts';
import { requireFound } from '../../accounts/rules.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';
import type { PlanName } from '../tables.ts';
import { dayOf } from '../rules.ts';
import { lockCompany } from '../store.ts';
import { lookAtDayAnew, removePlan, setPlan, wakeWaitingForDay } from './store.ts';

export interface SaidPlan {
  connectionId: ConnectionId;
  /** Undefined: back to what the installation assumes. */
  plan: PlanName | undefined;
  seats: number;
  topUpTokens: number;
}

/** Keeps what somebody knows about their company's subscription; it holds for all its connections. */
export async function sayPlan(
  db: Db,
  { connectionId, plan, seats, topUpTokens }: SaidPlan,
  by: Origin & Manager & { now: Date },
): Promise<Connection> {
  const { workspaceId, userId, now } = by;
  const connection = await withWorkspace(db, workspaceId, async (tx) => {
    const found = await findConnection(tx, connectionId);
    const connection = requireFound(found, connectionId, 'input.connectionId');
    await requireDeciding(tx, connection, { by, field: 'input.connectionId' });
    const of = { workspace_id: workspaceId, company_id: connection.company_id };
    if (plan === undefined) await removePlan(tx, workspaceId, connection.company_id);
    else {
      const said = { plan, seats, top_up_tokens: topUpTokens };
      await setPlan(tx, { ...of, ...said, user_id: userId, updated_at: now });
    }
    await publish(tx, BudgetChanged, {
      origin: { workspaceId, actor: by.actor, correlationId: by.correlationId },
      key: connection.id,
      payload: {
        connectionId: connection.id,
        companyId: connection.company_id,
        change: 'plan_changed',
        ...(plan === undefined ? {} : { plan, seats, topUpTokens }),
      },
      now,
    });
    return connection;
  });
  await lookAgain(db, connection.company_id, now);
  return connection;
}

/** What was learned before holds no longer, and who waits asks again; safe to do twice. */
const lookAgain = (db: Db, companyId: string, now: Date): Promise<void> =>
  // the day belongs to the Pipedrive company, which several workspaces may be connected to
  acrossWorkspaces(db, async (tx) => {
    await lockCompany(tx, companyId);
    await lookAtDayAnew(tx, { companyId, day: dayOf(now), now });
    await wakeWaitingForDay(tx, companyId, now);
  });
