import type { Resolvers } from '@manifold/subgraph';
import { createResolvers as createKeyResolvers } from './keys/resolvers.ts';
import { createResolvers as createMemberResolvers } from './members/resolvers.ts';
import { createResolvers as createNodeResolvers } from './nodes/resolvers.ts';
import type { Db } from './store.ts';
import { createResolvers as createWorkspaceResolvers } from './workspaces/resolvers.ts';

export const schemaFiles = ['workspaces', 'members', 'keys', 'nodes'].map(
  (noun) => new URL(`./${noun}/schema.graphql`, import.meta.url),
);

export const createAllResolvers = (deps: { db: Db; now: () => Date }): Resolvers[] => [
  createWorkspaceResolvers(deps),
  createMemberResolvers(deps),
  createKeyResolvers(deps),
  createNodeResolvers(),
];
