import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { composeServices } from '@apollo/composition';
import { readSchema } from '@manifold/subgraph';
import { type GraphQLSchema, parse } from 'graphql';

/** The outcome of composing every service's schema files; the API schema is what clients see. */
export type Composition =
  | { outcome: 'composed'; supergraphSdl: string; apiSchema: GraphQLSchema }
  | { outcome: 'failed'; problems: string[] };

/**
 * Composes the subgraphs under `<root>/apps`: of each app the common part, then its
 * `schema.graphql` files in the order of their paths. URLs only name the service; where it runs is
 * told to the gateway by its environment.
 */
export function composeSupergraph(root: string): Composition {
  const byService = Map.groupBy(
    globSync('apps/*/src/**/schema.graphql', { cwd: root }).toSorted(),
    (file) => file.split('/')[1] ?? '',
  );
  const problems: string[] = [];
  const subgraphs = [...byService].flatMap(([name, files]) => {
    const urls = files.map((file) => pathToFileURL(join(root, file)));
    try {
      return [{ name, url: `http://${name}`, typeDefs: parse(readSchema(urls)) }];
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : 'unreadable'}`);
      return [];
    }
  });
  if (problems.length > 0) return { outcome: 'failed', problems };
  const { supergraphSdl, schema, errors } = composeServices(subgraphs);
  if (errors) return { outcome: 'failed', problems: errors.map(({ message }) => message) };
  const apiSchema = schema.toAPISchema().toGraphQLJSSchema();
  return { outcome: 'composed', supergraphSdl: `${supergraphSdl.trimEnd()}\n`, apiSchema };
}
