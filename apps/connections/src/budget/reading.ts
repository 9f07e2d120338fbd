import { withWorkspace } from '@manifold/database';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import { effectivePlan } from './plans/rules.ts';
import { type ApiPlan, listPlans } from './plans/store.ts';
import { type BudgetPlan, dayOf } from './rules.ts';
import { type ApiDay, type ApiWindow, findDay, findWindow } from './store.ts';

/** What is known of the budget behind a connection. */
export interface Budget {
  connection: Connection;
  window: ApiWindow | undefined;
  day: ApiDay | undefined;
  said: ApiPlan | undefined;
  plan: BudgetPlan;
  now: Date;
}

export interface BudgetDeps {
  db: Db;
  /** Limits assumed where neither Pipedrive nor the workspace said any. */
  plan: BudgetPlan;
  now: () => Date;
}

export async function readBudget(deps: BudgetDeps, connection: Connection): Promise<Budget> {
  const now = deps.now();
  const { workspace_id: workspaceId, company_id: companyId } = connection;
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const [said] = await listPlans(tx, [companyId], [workspaceId]);
    return {
      connection,
      window: await findWindow(tx, connection.id),
      day: await findDay(tx, companyId, dayOf(now)),
      said,
      plan: effectivePlan(said, deps.plan),
      now,
    };
  });
}
