import type { WorkspaceId } from '@manifold/contracts';
import { type Insertable, type Selectable, sql } from 'kysely';
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

/**
 * Steps and change sets in sight that wait for another day's tokens of a company ask again at once.
 * Who is at one of them this moment asks anyway.
 */
export async function wakeWaitingForDay(tx: Db, companyId: string, now: Date): Promise<void> {
  await sql`
    with waiting as (
      select workspace_id, id from write_step
      where company_id = ${companyId} and state = 'queued' and reason = 'budget_spent'
        and not_before > ${now}
      for update skip locked
    )
    update write_step s set not_before = ${now} from waiting
    where s.workspace_id = waiting.workspace_id and s.id = waiting.id`.execute(tx);
  await sql`
    with waiting as (
      select workspace_id, id from change_set
      where company_id = ${companyId} and state in ('planning', 'applying')
        and waiting_reason = 'budget_spent' and not_before > ${now}
      for update skip locked
    )
    update change_set s set not_before = ${now} from waiting
    where s.workspace_id = waiting.workspace_id and s.id = waiting.id`.execute(tx);
}

/**
 * Forgets what Pipedrive said of a company's day, in every workspace in sight, as somebody knows of
 * another limit; the next call looks, and its answer counts again.
 */
export async function lookAtDayAnew(
  tx: Db,
  { companyId, day, now }: { companyId: string; day: string; now: Date },
): Promise<void> {
  await sql`
    update api_day set learned_limit = null, learned_remaining = null,
      -- of a day that is not paused there is nothing to end; least() alone would pause it
      paused_until = case when paused_until is not null then least(paused_until, ${now}) end,
      probe_at = case when paused_until is null and probe_at is null then null else ${now}::timestamptz end
    where company_id = ${companyId} and day = ${day}`.execute(tx);
}
