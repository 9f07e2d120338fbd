import type { RequestContext, Resolvers } from '@manifold/subgraph';
import {
  type AccountDeps,
  createAccountLoaders,
  createAccountResolvers,
} from './accounts/resolvers.ts';
import { createBudgetResolvers } from './budget/resolvers.ts';
import type { BudgetPlan } from './budget/rules.ts';
import { createFieldResolvers } from './fields/resolvers.ts';
import type { OauthDeps } from './oauth/beginning.ts';
import { createOauthResolvers } from './oauth/resolvers.ts';
import type { Db } from './store.ts';
import { createWriteLoaders, createWriteResolvers } from './writes/resolvers.ts';

export const schemaFiles = ['oauth', 'accounts', 'fields', 'budget', 'writes'].map(
  (noun) => new URL(`./${noun}/schema.graphql`, import.meta.url),
);

export const createAllResolvers = (
  deps: AccountDeps & OauthDeps & { plan: BudgetPlan; wake: () => void },
): Resolvers[] => [
  createOauthResolvers(deps),
  createAccountResolvers(deps),
  createFieldResolvers(deps),
  createBudgetResolvers(deps),
  createWriteResolvers(deps),
];

export const createLoaders = (deps: { db: Db; now: () => Date }) => (context: RequestContext) => ({
  ...createAccountLoaders(deps, context),
  ...createWriteLoaders(deps, context),
});
