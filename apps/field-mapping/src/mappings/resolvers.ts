import { type FieldDefinition, FieldMappingId, type WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  checkCursor,
  checkFilter,
  IdPart,
  loadById,
  type PageArguments,
  readPage,
  type RequestContext,
  requireRole,
  type SortDirection,
  TextPart,
  TimePart,
  toConnection,
} from '@manifold/subgraph';
import type { FieldCatalogue, FieldMapping, MappingVersion } from '../store.ts';
import { publishMapping } from '../versions/commands.ts';
import { type Deps, saveMapping, suggestMapping } from './commands.ts';
import { PublishArguments, SaveArguments, SuggestArguments } from './input.ts';
import type { Loaders } from './loaders.ts';
import { findProblems, isUnchecked, knownObjects, usualPolicy } from './rules.ts';
import { countMappings, listMappings, type MappingFilter } from './store.ts';
import { type About, viewRow } from './view.ts';

type Context = RequestContext & { loaders: Loaders };

interface ListArguments extends PageArguments {
  filter?: MappingFilter | null;
  orderBy?: { field: 'CREATED_AT' | 'NAME'; direction: SortDirection } | null;
}

/** Catalogues of the objects at hand, and what is wrong with a working copy in their light. */
function aboutOf(
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

const aboutMapping = async (mapping: FieldMapping, { loaders }: Context): Promise<About> =>
  aboutOf(mapping, await loaders.catalogues.load(mapping.connection_id));

const byObject = (fields: FieldDefinition[]) =>
  [...Map.groupBy(fields, ({ object }) => object)].map(([object, of]) => ({ object, fields: of }));

async function listPage(deps: Deps, workspaceId: WorkspaceId, args: ListArguments) {
  const { field, direction } = args.orderBy ?? { field: 'CREATED_AT', direction: 'DESC' };
  const filter = args.filter ?? {};
  checkFilter(filter);
  const page = checkCursor(readPage(args), [field === 'CREATED_AT' ? TimePart : TextPart, IdPart]);
  const query = {
    filter,
    orderBy: field === 'NAME' ? ('name' as const) : ('created_at' as const),
    descending: direction === 'DESC',
    page,
  };
  const rows = await withWorkspace(deps.db, workspaceId, (tx) =>
    listMappings(tx, workspaceId, query),
  );
  return {
    ...toConnection(rows, page, ({ name, created_at, id }) => [
      field === 'NAME' ? name : created_at.toISOString(),
      id,
    ]),
    totalCount: () =>
      withWorkspace(deps.db, workspaceId, (tx) => countMappings(tx, workspaceId, filter)),
  };
}

/** Null for an id of another workspace as for one that is no id. */
const findOne = (id: string, { loaders }: Context) =>
  loadById(FieldMappingId, id, (known) => loaders.mappings.load(known));

export const createResolvers = (deps: Deps) => ({
  Query: {
    fieldMapping: (_: unknown, { id }: { id: string }, context: Context) => findOne(id, context),
    fieldMappings: (_: unknown, args: ListArguments, { workspaceId }: Context) =>
      listPage(deps, workspaceId, args),
    suggestRows: async (_: unknown, args: unknown, context: Context) => {
      const wanted = SuggestArguments.parse(args);
      const { rows, catalogue } = await suggestMapping(deps, context, wanted);
      const working = { ...wanted, rows, policy: usualPolicy(wanted.purpose) };
      const about = aboutOf(working, byObject(catalogue));
      return rows.map((row) => viewRow(row, about));
    },
  },
  Mutation: {
    saveFieldMapping: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const id = await saveMapping(deps, context, SaveArguments.parse(args).input);
      return { fieldMapping: await findOne(id, context) };
    },
    publishFieldMapping: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const id = await publishMapping(deps, context, PublishArguments.parse(args).input.id);
      return { fieldMapping: await findOne(id, context) };
    },
  },
  FieldMapping: {
    __resolveReference: ({ id }: { id: string }, context: Context) => findOne(id, context),
    connection: (mapping: FieldMapping) => ({ id: mapping.connection_id }),
    rows: async (mapping: FieldMapping, _: unknown, context: Context) => {
      const about = await aboutMapping(mapping, context);
      return mapping.rows.map((row) => viewRow(row, about));
    },
    problems: async (mapping: FieldMapping, _: unknown, context: Context) =>
      (await aboutMapping(mapping, context)).problems,
    policy: ({ policy }: FieldMapping) => ({ ...policy, existing: policy.existing.toUpperCase() }),
    versions: ({ id }: FieldMapping, _: unknown, { loaders }: Context) => loaders.versions.load(id),
    createdAt: (mapping: FieldMapping) => mapping.created_at,
    updatedAt: (mapping: FieldMapping) => mapping.updated_at,
  },
  MappingVersion: {
    publishedAt: (version: Pick<MappingVersion, 'published_at'>) => version.published_at,
  },
});
