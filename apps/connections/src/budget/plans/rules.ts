import type { PlanName } from '../tables.ts';

/** Limits assumed until Pipedrive says otherwise. */
export interface BudgetPlan {
  /** Requests of one credential in any 2 s. */
  burst: Record<'OAUTH' | 'API_TOKEN', number>;
  /** Tokens of a company per day; null when nobody knows. */
  dailyTokens: number | null;
}

/** Pipedrive's plans: burst limits and the multiplier of 30,000 daily tokens per seat. */
const plans: Record<PlanName, { burst: BudgetPlan['burst']; multiplier: number }> = {
  lite: { burst: { OAUTH: 80, API_TOKEN: 20 }, multiplier: 1 },
  growth: { burst: { OAUTH: 160, API_TOKEN: 40 }, multiplier: 2 },
  premium: { burst: { OAUTH: 400, API_TOKEN: 100 }, multiplier: 5 },
  ultimate: { burst: { OAUTH: 480, API_TOKEN: 120 }, multiplier: 7 },
};
export const planNames = ['lite', 'growth', 'premium', 'ultimate'] as const;

const TOKENS_PER_SEAT = 30_000;

/** The limits of a plan; daily tokens stay unknown unless given or the number of seats is. */
export function planOf(settings: {
  plan: PlanName;
  seats: number | undefined;
  dailyTokens: number | undefined;
}): BudgetPlan {
  const { burst, multiplier } = plans[settings.plan];
  const { seats } = settings;
  const counted = seats === undefined ? null : seats * multiplier * TOKENS_PER_SEAT;
  return { burst, dailyTokens: settings.dailyTokens ?? counted };
}

/** What a workspace said about its company comes before what the installation assumes. */
export function effectivePlan(
  said: { plan: PlanName; seats: number; top_up_tokens: number } | undefined,
  assumed: BudgetPlan,
): BudgetPlan {
  if (said === undefined) return assumed;
  const { burst, dailyTokens } = planOf({ ...said, dailyTokens: undefined });
  return { burst, dailyTokens: (dailyTokens ?? 0) + said.top_up_tokens };
}
