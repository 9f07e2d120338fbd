import { createDisplayResolvers } from './display/resolvers.ts';
import { createDriftResolvers } from './drift/resolvers.ts';
import type { Deps } from './mappings/deps.ts';
import { createLoaders } from './mappings/loaders.ts';
import { createResolvers } from './mappings/resolvers.ts';
import { createMatchingResolvers } from './matching/resolvers.ts';
import { createPreviewResolvers } from './preview/resolvers.ts';
import { createVersionResolvers } from './versions/resolvers.ts';

const nouns = ['mappings', 'matching', 'versions', 'drift', 'preview', 'display'];

/** What this service adds to the graph, noun by noun. */
export const createGraph = (deps: Deps) => ({
  schemaFiles: nouns.map((noun) => new URL(`./${noun}/schema.graphql`, import.meta.url)),
  resolvers: [
    createResolvers(deps),
    createMatchingResolvers(deps),
    createVersionResolvers(deps),
    createDriftResolvers(deps),
    createPreviewResolvers(deps),
    createDisplayResolvers(deps),
  ],
  loaders: createLoaders(deps),
});
