import type { ConnectionId, UserId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { requireFound } from '../../accounts/rules.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';
import type { PlanName } from '../tables.ts';
import { removePlan, setPlan } from './store.ts';

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
  by: { workspaceId: WorkspaceId; userId: UserId; now: Date },
): Promise<Connection> {
  const { workspaceId, userId, now } = by;
  return withWorkspace(db, workspaceId, async (tx) => {
    const found = await findConnection(tx, connectionId);
    const connection = requireFound(found, connectionId, 'input.connectionId');
    const of = { workspace_id: workspaceId, company_id: connection.company_id };
    if (plan === undefined) await removePlan(tx, workspaceId, connection.company_id);
    else {
      const said = { plan, seats, top_up_tokens: topUpTokens };
      await setPlan(tx, { ...of, ...said, user_id: userId, updated_at: now });
    }
    return connection;
  });
}
