import type { WorkspaceId } from '@manifold/contracts';
import type { Insertable, Selectable } from 'kysely';
import type { Db } from '../../store.ts';
import type { BudgetTables } from '../tables.ts';

export type ApiPlan = Selectable<BudgetTables['api_plan']>;

/** What workspaces in sight say about companies; of these workspaces only, when they are named. */
export async function listPlans(
  tx: Db,
  companyIds: readonly string[],
  workspaceIds?: readonly WorkspaceId[],
): Promise<ApiPlan[]> {
  if (companyIds.length === 0) return [];
  return tx
    .selectFrom('api_plan')
    .selectAll()
    .where('company_id', 'in', companyIds)
    .$if(workspaceIds !== undefined, (query) =>
      query.where('workspace_id', 'in', workspaceIds ?? []),
    )
    .execute();
}

export async function setPlan(
  tx: Db,
  plan: Insertable<BudgetTables['api_plan']>,
): Promise<ApiPlan> {
  const { plan: name, seats, top_up_tokens, user_id, updated_at } = plan;
  return tx
    .insertInto('api_plan')
    .values(plan)
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'company_id'])
        .doUpdateSet({ plan: name, seats, top_up_tokens, user_id, updated_at }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Back to what the installation assumes. */
export async function removePlan(tx: Db, workspaceId: WorkspaceId, companyId: string) {
  await tx
    .deleteFrom('api_plan')
    .where('workspace_id', '=', workspaceId)
    .where('company_id', '=', companyId)
    .execute();
}
