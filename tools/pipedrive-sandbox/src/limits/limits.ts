/** What an account may spend. `null` is no limit. */
export interface LimitRules {
  /** Requests per two seconds and token. */
  apiToken: number | null;
  oauth: number | null;
  /** Search requests per two seconds and token, whatever its kind. */
  search: number | null;
  /** API tokens per day for the whole account. */
  dailyTokens: number | null;
  /** Send the undocumented `x-daily-ratelimit-token-*` headers. */
  dailyHeaders: boolean;
  /** How many 429s within ten seconds make the edge shut a caller out. */
  blockAfter: number | null;
}

export type Plan = 'lite' | 'growth' | 'premium' | 'ultimate';

/** A plan and its seats; each part can be overridden, or switched off with null. */
export interface Limits extends Partial<LimitRules> {
  plan: Plan;
  seats?: number;
}

const DAILY_TOKENS_PER_SEAT = 30_000;

const PLANS: Record<Plan, { multiplier: number; apiToken: number; oauth: number }> = {
  lite: { multiplier: 1, apiToken: 20, oauth: 80 },
  growth: { multiplier: 2, apiToken: 40, oauth: 160 },
  premium: { multiplier: 5, apiToken: 100, oauth: 400 },
  ultimate: { multiplier: 7, apiToken: 120, oauth: 480 },
};

const OFF: LimitRules = {
  apiToken: null,
  oauth: null,
  search: null,
  dailyTokens: null,
  dailyHeaders: false,
  blockAfter: null,
};

export function isPlan(text: unknown): text is Plan {
  return typeof text === 'string' && text in PLANS;
}

/** The published numbers of a plan, with what the caller changed. */
export function limitRules(limits: Limits | 'off'): LimitRules {
  if (limits === 'off') return OFF;
  const { plan, seats = 1, ...overrides } = limits;
  const { multiplier, apiToken, oauth } = PLANS[plan];
  return {
    apiToken,
    oauth,
    search: 10,
    dailyTokens: DAILY_TOKENS_PER_SEAT * multiplier * seats,
    dailyHeaders: true,
    blockAfter: null,
    ...overrides,
  };
}
