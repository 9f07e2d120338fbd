import { ConnectionId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { RequestContext, Resolvers } from '@manifold/subgraph';
import { z } from 'zod';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import { pauseOf } from './answers/rules.ts';
import {
  balanceOf,
  type BudgetPlan,
  dayOf,
  firstDayOf,
  nextMidnight,
  SEARCH_LIMIT,
  usedOf,
} from './rules.ts';
import { type ApiDay, type ApiWindow, findWindow, listDays } from './store.ts';
import { listUsage } from './usage/store.ts';

type Context = RequestContext & {
  loaders: { connections: { load(id: ConnectionId): Promise<Connection | null> } };
};

interface Budget {
  connection: Connection;
  window: ApiWindow | undefined;
  days: ApiDay[];
  now: Date;
}

const UsageArguments = z.object({
  by: z.enum(['OPERATION', 'DAY', 'FEATURE']),
  days: z.int().min(1).max(90).nullish(),
});
const columns = { OPERATION: 'operation', DAY: 'day', FEATURE: 'feature' } as const;

export const createBudgetResolvers = (deps: {
  db: Db;
  plan: BudgetPlan;
  now: () => Date;
}): Resolvers => ({
  Query: {
    apiBudget: async (_: unknown, args: { connectionId: string }, context: Context) => {
      const id = ConnectionId.safeParse(args.connectionId);
      const connection = id.success ? await context.loaders.connections.load(id.data) : null;
      if (connection === null) return null;
      const now = deps.now();
      return withWorkspace(deps.db, context.workspaceId, async (tx): Promise<Budget> => {
        const days = await listDays(tx, connection.company_id, dayOf(now));
        return { connection, window: await findWindow(tx, connection.id), days, now };
      });
    },
  },
  ApiBudget: {
    day: ({ now }: Budget) => dayOf(now),
    spentToday: ({ days }: Budget) => balanceOf(days, deps.plan.dailyTokens).spent,
    dailyLimit: ({ days }: Budget) => balanceOf(days, deps.plan.dailyTokens).limit,
    remaining: ({ days }: Budget) => balanceOf(days, deps.plan.dailyTokens).remaining,
    resetsAt: ({ now }: Budget) => nextMidnight(now),
    pausedUntil: ({ days, window, now }: Budget) => pauseOf(days, window, now)?.until ?? null,
    pauseReason: ({ days, window, now }: Budget) => pauseOf(days, window, now)?.reason ?? null,
    burst: ({ connection, window, now }: Budget) => ({
      limit: window?.burst_limit ?? deps.plan.burst[connection.method],
      used: usedOf(window?.burst ?? [], now),
    }),
    search: ({ window, now }: Budget) => ({
      limit: SEARCH_LIMIT,
      used: usedOf(window?.search ?? [], now),
    }),
    usage: async ({ connection, now }: Budget, given: unknown, { workspaceId }: Context) => {
      const { by, days } = UsageArguments.parse(given);
      const since = firstDayOf(now, days ?? 7);
      return withWorkspace(deps.db, workspaceId, (tx) =>
        listUsage(tx, connection.id, { column: columns[by], since }),
      );
    },
  },
});
