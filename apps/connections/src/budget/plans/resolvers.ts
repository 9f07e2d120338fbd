import { ConnectionId } from '@manifold/contracts';
import {
  optional,
  originOf,
  type RequestContext,
  requireRole,
  type Resolvers,
} from '@manifold/subgraph';
import { z } from 'zod';
import { managerOf } from '../../accounts/ownership/rules.ts';
import { type BudgetDeps, readBudget } from '../reading.ts';
import { sayPlan } from './commands.ts';

const names = ['LITE', 'GROWTH', 'PREMIUM', 'ULTIMATE'] as const;
const stored = {
  LITE: 'lite',
  GROWTH: 'growth',
  PREMIUM: 'premium',
  ULTIMATE: 'ultimate',
} as const;

const SetPlanArguments = z.object({
  input: z.object({
    connectionId: ConnectionId,
    plan: optional(z.enum(names)),
    seats: optional(z.int().min(1).max(100_000)),
    topUpTokens: optional(z.int().min(0).max(1_000_000_000)),
  }),
});

export const createPlanResolvers = (deps: BudgetDeps): Resolvers => ({
  Mutation: {
    setApiPlan: async (_: unknown, args: unknown, context: RequestContext) => {
      const { input } = SetPlanArguments.parse(args);
      requireRole(context.identity, 'MEMBER');
      const plan = input.plan && stored[input.plan];
      const { seats = 1, topUpTokens = 0, connectionId } = input;
      const by = { ...originOf(context), ...managerOf(context.identity), now: deps.now() };
      const said = { connectionId, plan, seats, topUpTokens };
      return { apiBudget: await readBudget(deps, await sayPlan(deps.db, said, by)) };
    },
  },
});
