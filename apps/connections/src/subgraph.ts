import type { RequestContext, Resolvers } from '@manifold/subgraph';
import { createAccountLoaders } from './accounts/loaders.ts';
import { type AccountDeps, createAccountResolvers } from './accounts/resolvers.ts';
import { createBudgetResolvers } from './budget/resolvers.ts';
import { createEstimateResolvers } from './budget/estimates/resolvers.ts';
import { createForecastResolvers } from './budget/forecast/resolvers.ts';
import { createPlanResolvers } from './budget/plans/resolvers.ts';
import type { BudgetPlan } from './budget/rules.ts';
import { createUsageResolvers } from './budget/usage/resolvers.ts';
import {
  createCompletenessLoaders,
  createCompletenessResolvers,
} from './completeness/resolvers.ts';
import { createFieldChangeResolvers } from './fields/changes/resolvers.ts';
import { createFieldCreationResolvers } from './fields/creation/resolvers.ts';
import {
  createExternalIdLoaders,
  createExternalIdResolvers,
} from './fields/external-id/resolvers.ts';
import { createChangeSetLoaders } from './changes/reading/loaders.ts';
import { createChangeSetResolvers } from './changes/resolvers.ts';
import { createFieldResolvers } from './fields/resolvers.ts';
import type { OauthDeps } from './oauth/beginning.ts';
import { createOauthResolvers } from './oauth/resolvers.ts';
import type { LiveDeps } from './records/live/commands.ts';
import { createRecordLoaders } from './records/live/references.ts';
import { createLiveResolvers } from './records/live/resolvers.ts';
import { createRegistryLoaders, createRegistryResolvers } from './registry/resolvers.ts';
import { createVaultResolvers, type EncryptionDeps } from './vault/resolvers.ts';
import { createOverwriteLoaders, createOverwriteResolvers } from './writes/overwrites/resolvers.ts';
import { createWebhookLoaders, createWebhookResolvers } from './webhooks/resolvers.ts';
import { createWriteLoaders, createWriteResolvers } from './writes/resolvers.ts';
import { createStepResolvers } from './writes/steps/resolvers.ts';

export const schemaFiles = [
  'oauth',
  'accounts',
  'vault',
  'fields',
  'fields/changes',
  'fields/creation',
  'fields/external-id',
  'records/live',
  'budget',
  'budget/plans',
  'budget/usage',
  'budget/forecast',
  'budget/estimates',
  'writes',
  'changes',
  'writes/overwrites',
  'writes/steps',
  'webhooks',
  'registry',
  'completeness',
].map((noun) => new URL(`./${noun}/schema.graphql`, import.meta.url));

export const createAllResolvers = (
  deps: AccountDeps &
    OauthDeps &
    EncryptionDeps & {
      plan: BudgetPlan;
      wake: () => void;
      wakeChangeSets: () => void;
      verifyEveryMs: number;
      customFieldCap: number;
    },
): Resolvers[] => [
  createOauthResolvers(deps),
  createVaultResolvers(deps),
  createAccountResolvers(deps),
  createFieldResolvers(deps),
  createFieldChangeResolvers(deps),
  createFieldCreationResolvers(deps),
  createExternalIdResolvers(deps),
  createLiveResolvers(deps),
  createWebhookResolvers(deps),
  createRegistryResolvers(deps),
  createCompletenessResolvers(deps),
  createBudgetResolvers(deps),
  createPlanResolvers(deps),
  createUsageResolvers(deps),
  createForecastResolvers(deps),
  createEstimateResolvers(),
  createWriteResolvers(deps),
  createChangeSetResolvers(deps),
  createOverwriteResolvers(deps),
  createStepResolvers(deps),
];

export const createLoaders =
  (deps: LiveDeps & { plan: BudgetPlan; now: () => Date }) => (context: RequestContext) => ({
    ...createAccountLoaders(deps, context),
    ...createRecordLoaders(deps, context),
    ...createExternalIdLoaders(deps, context),
    ...createWebhookLoaders(deps, context),
    ...createCompletenessLoaders(deps, context),
    ...createRegistryLoaders(deps, context),
    ...createWriteLoaders(deps, context),
    ...createChangeSetLoaders(deps, context),
    ...createOverwriteLoaders(deps, context),
  });
