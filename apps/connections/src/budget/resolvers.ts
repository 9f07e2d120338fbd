import { ConnectionId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { loadById, type RequestContext, type Resolvers } from '@manifold/subgraph';
import type { Connection } from '../accounts/tables.ts';
import { pauseOf } from './answers/rules.ts';
import { type Budget, type BudgetDeps, readBudget } from './reading.ts';
import { balanceOf, dayOf, nextMidnight, reserveOf, SEARCH_LIMIT, shareOf } from './rules.ts';
import { spentOf } from './telling.ts';
import { readBudgetUsage } from './usage/listing.ts';
import { listUsage } from './usage/store.ts';
import { freeAt, type Slots, usedOf } from './windows/rules.ts';

type Context = RequestContext & {
  loaders: { connections: { load(id: ConnectionId): Promise<Connection | null> } };
};

const balance = ({ day, plan }: Budget) => balanceOf(spentOf(day), plan.dailyTokens);
const pause = (budget: Budget) =>
  pauseOf(budget.day, budget.window, budget.now, balance(budget).remaining);
const burstLimitOf = ({ window, plan, connection }: Budget) =>
  window?.burst_limit ?? plan.burst[connection.method];

const showWindow = (slots: Slots = [], limit: number, now: Date) => ({
  limit,
  used: usedOf(slots, now),
  forBulk: shareOf(limit, 'bulk'),
  freeAt: freeAt(slots, limit, now),
});

export const createBudgetResolvers = (deps: BudgetDeps): Resolvers => ({
  Query: {
    apiBudget: async (_: unknown, args: { connectionId: string }, { loaders }: Context) => {
      const known = (id: ConnectionId) => loaders.connections.load(id);
      const connection = await loadById(ConnectionId, args.connectionId, known);
      return connection && readBudget(deps, connection);
    },
  },
  ApiBudget: {
    day: ({ now }: Budget) => dayOf(now),
    plan: ({ said }: Budget) =>
      said && {
        name: said.plan.toUpperCase(),
        seats: said.seats,
        topUpTokens: said.top_up_tokens,
        updatedAt: said.updated_at,
      },
    spentToday: ({ day }: Budget) => day?.spent_tokens ?? 0,
    spentByCompany: (budget: Budget) => balance(budget).spent,
    dailyLimit: (budget: Budget) => balance(budget).limit,
    remaining: (budget: Budget) => balance(budget).remaining,
    remainingForBulk: (budget: Budget) => {
      const { limit, remaining } = balance(budget);
      if (limit === null || remaining === null) return null;
      return Math.max(0, remaining - reserveOf(limit, 'bulk'));
    },
    resetsAt: ({ now }: Budget) => nextMidnight(now),
    pausedUntil: (budget: Budget) => pause(budget)?.until ?? null,
    pauseReason: (budget: Budget) => pause(budget)?.reason ?? null,
    burst: (budget: Budget) => showWindow(budget.window?.burst, burstLimitOf(budget), budget.now),
    search: ({ window, now }: Budget) => showWindow(window?.search, SEARCH_LIMIT, now),
    usage: ({ connection, now }: Budget, given: unknown, { workspaceId }: Context) => {
      const { by, since } = readBudgetUsage(given, now);
      const filter = { connectionIds: [connection.id], since };
      const page = { limit: MOST_GROUPS, backwards: false, cursor: undefined };
      return withWorkspace(deps.db, workspaceId, (tx) => listUsage(tx, { filter, by }, page));
    },
  },
});

const MOST_GROUPS = 500;
