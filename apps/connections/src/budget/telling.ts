import { BudgetChanged } from '@manifold/contracts';
import { publish } from '@manifold/messaging';
import type { Tx } from '../store.ts';
import { decideThreshold } from './answers/rules.ts';
import { credentialOf } from './commands.ts';
import type { Turn } from './learning.ts';
import { effectivePlan } from './plans/rules.ts';
import { listPlans } from './plans/store.ts';
import { balanceOf, type BudgetPlan } from './rules.ts';
import { type ApiDay, type CompanyUser, listCompanyUsers } from './store.ts';

interface Happened {
  companyId: string;
  days: readonly ApiDay[];
  turns: readonly Turn[];
  now: Date;
}

/** Says what people want to be alerted of; returns the days with what they were told. */
export async function tell(tx: Tx, happened: Happened, assumed: BudgetPlan): Promise<ApiDay[]> {
  const { companyId, days, turns, now } = happened;
  const said = await listPlans(
    tx,
    [companyId],
    days.map((day) => day.workspace_id),
  );
  const judged = days.map((day) => {
    const plan = said.find(({ workspace_id }) => workspace_id === day.workspace_id);
    const { dailyTokens } = effectivePlan(plan, assumed);
    const balance = balanceOf(spentOf(day), dailyTokens);
    return { day, balance, percent: decideThreshold(balance, day.told_percent) };
  });
  if (turns.length === 0 && judged.every(({ percent }) => percent === undefined)) return [...days];
  const users = await listCompanyUsers(tx, companyId);
  for (const turn of turns) await tellTurn(tx, { turn, users, now });
  for (const { day, balance, percent } of judged) {
    const user = users.find(({ workspace_id }) => workspace_id === day.workspace_id);
    if (percent === undefined || user === undefined) continue;
    const { spent: spentTokens, limit: limitTokens, remaining: remainingTokens } = balance;
    const change = { change: 'threshold_crossed', percent, spentTokens } as const;
    const left = remainingTokens === null ? {} : { remainingTokens };
    const limit = limitTokens === null ? {} : { limitTokens };
    await tellUser(tx, { user, now }, { ...change, ...limit, ...left });
  }
  return judged.map(({ day, percent }) => ({ ...day, told_percent: percent ?? day.told_percent }));
}

/** A pause of a credential concerns whoever uses it, one of the day whoever uses the company. */
async function tellTurn(
  tx: Tx,
  { turn, users, now }: { turn: Turn; users: readonly CompanyUser[]; now: Date },
): Promise<void> {
  const concerned =
    turn.scope === 'credential'
      ? users.filter((user) => credentialOf(user) === turn.credential)
      : [...Map.groupBy(users, ({ workspace_id }) => workspace_id).values()].flatMap(
          ([user]) => user ?? [],
        );
  const change =
    turn.turn === 'resumed'
      ? ({ change: 'resumed' } as const)
      : ({ change: 'paused', reason: turn.reason, until: turn.until.toISOString() } as const);
  for (const user of concerned) await tellUser(tx, { user, now }, change);
}

type Change = Omit<
  Parameters<typeof publish<unknown, typeof BudgetChanged>>[2]['payload'],
  'connectionId' | 'companyId'
>;

/** Tells a workspace, as news of one of its connections. */
export const tellUser = (
  tx: Tx,
  { user, now }: { user: CompanyUser; now: Date },
  change: Change,
): Promise<void> =>
  publish(tx, BudgetChanged, {
    origin: {
      workspaceId: user.workspace_id,
      actor: { kind: 'service', id: 'connections' },
      correlationId: `budget-${user.company_id}`,
    },
    key: user.id,
    payload: { connectionId: user.id, companyId: user.company_id, ...change },
    now,
  });

export const spentOf = (day: ApiDay | undefined) => ({
  spent: day?.company_spent_tokens ?? 0,
  learnedLimit: day?.learned_limit ?? null,
  learnedRemaining: day?.learned_remaining ?? null,
});
