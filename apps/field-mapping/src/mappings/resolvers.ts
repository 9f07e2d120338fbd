import type { WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  checkCursor,
  checkFilter,
  IdPart,
  type PageArguments,
  readPage,
  requireRole,
  type SortDirection,
  TextPart,
  TimePart,
  toConnection,
} from '@manifold/subgraph';
import { explainRows } from '../matching/past/rules.ts';
import type { FieldMapping } from '../store.ts';
import { aboutMapping, aboutOf, byObject, type Context, findOne } from './about.ts';
import { saveMapping, suggestMapping } from './commands.ts';
import type { Deps } from './deps.ts';
import { SaveArguments, SuggestArguments } from './input.ts';
import { usualPolicy } from './rules.ts';
import { countMappings, listMappings, type MappingFilter } from './store.ts';
import { viewPolicy, viewRow, viewSuggestion } from './view.ts';

interface ListArguments extends PageArguments {
  filter?: MappingFilter | null;
  orderBy?: { field: 'CREATED_AT' | 'NAME'; direction: SortDirection } | null;
}

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

export const createResolvers = (deps: Deps) => ({
  Query: {
    fieldMapping: (_: unknown, { id }: { id: string }, context: Context) => findOne(id, context),
    fieldMappings: (_: unknown, args: ListArguments, { workspaceId }: Context) =>
      listPage(deps, workspaceId, args),
    suggestRows: async (_: unknown, args: unknown, context: Context) => {
      const wanted = SuggestArguments.parse(args);
      const { rows, catalogue, past } = await suggestMapping(deps, context, wanted);
      const working = { ...wanted, rows, policy: usualPolicy(wanted.purpose) };
      const about = aboutOf(working, byObject(catalogue));
      const explained = explainRows(rows, { ...wanted, catalogue, past });
      return rows.map((row, at) => ({
        ...viewRow(row, about),
        suggestion: explained[at] && viewSuggestion(explained[at], catalogue),
      }));
    },
  },
  Mutation: {
    saveFieldMapping: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const id = await saveMapping(deps, context, SaveArguments.parse(args).input);
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
    policy: ({ policy }: FieldMapping) => viewPolicy(policy),
    createdAt: (mapping: FieldMapping) => mapping.created_at,
    updatedAt: (mapping: FieldMapping) => mapping.updated_at,
  },
});
