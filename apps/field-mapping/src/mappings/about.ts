import { type FieldDefinition, FieldMappingId } from '@manifold/contracts';
import { loadById, type RequestContext } from '@manifold/subgraph';
import type { FieldCatalogue, FieldMapping } from '../store.ts';
import type { Loaders } from './loaders.ts';
import { findProblems, isUnchecked, knownObjects } from './rules.ts';
import type { About } from './view.ts';

export type Context = RequestContext & { loaders: Loaders };

/** Catalogues of the objects at hand, and what is wrong with a working copy in their light. */
export function aboutOf(
  working: Parameters<typeof findProblems>[0],
  catalogues: readonly Pick<FieldCatalogue, 'object' | 'fields'>[],
): About {
  const catalogue = catalogues.flatMap(({ fields }) => fields);
  const known = knownObjects(catalogues);
  const problems = findProblems(working, catalogue).filter(
    (problem) => !isUnchecked(problem, working.rows, known),
  );
  return { catalogue, known, problems };
}

export const aboutMapping = async (
  mapping: FieldMapping,
  { loaders }: Pick<Context, 'loaders'>,
): Promise<About> => aboutOf(mapping, await loaders.catalogues.load(mapping.connection_id));

/** Fields just read, as catalogues. */
export const byObject = (fields: readonly FieldDefinition[]) =>
  [...Map.groupBy(fields, ({ object }) => object)].map(([object, of]) => ({ object, fields: of }));

/** Null for an id of another workspace as for one that is no id. */
export const findOne = (id: string, { loaders }: Pick<Context, 'loaders'>) =>
  loadById(FieldMappingId, id, (known) => loaders.mappings.load(known));
