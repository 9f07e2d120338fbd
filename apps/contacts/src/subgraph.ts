import type { Resolvers } from '@manifold/subgraph';
import type { NatsConnection } from '@nats-io/transport-node';
import { createAccountResolvers } from './accounts/resolvers.ts';
import { createContactResolvers } from './contacts/resolvers.ts';
import { createRunResolvers } from './runs/resolvers.ts';
import { createSourceResolvers } from './sources/resolvers.ts';
import type { Db } from './store.ts';

export const schemaFiles = ['sources', 'runs', 'contacts', 'accounts', 'variables'].map(
  (noun) => new URL(`./${noun}/schema.graphql`, import.meta.url),
);

export const createResolvers = (deps: {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}): Resolvers[] => [
  createSourceResolvers(deps),
  createRunResolvers(deps),
  createContactResolvers(deps),
  createAccountResolvers(deps),
];
