import type { Resolvers } from '@manifold/subgraph';
import type { NatsConnection } from '@nats-io/transport-node';
import { createAccountResolvers } from './accounts/resolvers.ts';
import { createContactResolvers } from './contacts/resolvers.ts';
import { createFeedResolvers } from './feed/resolvers.ts';
import { createLifeResolvers } from './life/resolvers.ts';
import { createOverviewResolvers } from './overview/resolvers.ts';
import { createRunResolvers } from './runs/resolvers.ts';
import { createSetupResolvers } from './setup/resolvers.ts';
import { createSourceResolvers } from './sources/resolvers.ts';
import type { Db } from './store.ts';
import { createSubscriptionResolvers } from './subscriptions/resolvers.ts';

export const schemaFiles = [
  ...['sources', 'setup', 'life', 'overview', 'runs', 'feed'],
  ...['contacts', 'subscriptions', 'accounts', 'variables'],
].map((noun) => new URL(`./${noun}/schema.graphql`, import.meta.url));

export const createResolvers = (deps: {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}): Resolvers[] => [
  createSourceResolvers(deps),
  createSetupResolvers(deps),
  createLifeResolvers(deps),
  createOverviewResolvers(deps),
  createRunResolvers(deps),
  createFeedResolvers(deps),
  createContactResolvers(deps),
  createSubscriptionResolvers(deps),
  createAccountResolvers(deps),
];
