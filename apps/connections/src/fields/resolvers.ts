import { ConnectionId, type FieldDefinition, PipedriveObject } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  boundedText,
  checkCursor,
  loadById,
  optional,
  type PageArguments,
  type PageRequest,
  readPage,
  type RequestContext,
  requireRole,
  type Resolvers,
  TextPart,
  toConnection,
} from '@manifold/subgraph';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { PipedriveAccess } from '../accounts/client.ts';
import { requireFound, requireUsable } from '../accounts/rules.ts';
import { findConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import { refreshFields } from './commands.ts';
import { type CataloguedObject, CATALOGUED, isCatalogued, selectFields } from './rules.ts';
import { findCatalogue } from './store.ts';

export interface FieldResolverDeps {
  db: Db;
  access: PipedriveAccess;
  now: () => Date;
  log: Logger;
}

type Context = RequestContext & {
  loaders: { connections: { load(id: ConnectionId): Promise<Connection | null> } };
};

const FieldArguments = z.object({
  connectionId: z.string(),
  object: PipedriveObject,
  filter: optional(
    z.object({
      custom: optional(z.boolean()),
      type: optional(z.array(boundedText(64)).max(64)),
      search: optional(boundedText(255)),
    }),
  ),
});

const RefreshArguments = z.object({
  input: z.object({
    connectionId: ConnectionId,
    objects: optional(z.array(PipedriveObject).min(1).max(8)),
  }),
});

export const createFieldResolvers = (deps: FieldResolverDeps): Resolvers => ({
  Query: {
    pipedriveFields: async (_: unknown, given: PageArguments, context: Context) => {
      const args = FieldArguments.parse(given);
      const connectionId = await requireId(context, args.connectionId);
      const catalogue = await withWorkspace(deps.db, context.workspaceId, (tx) =>
        findCatalogue(tx, connectionId, args.object),
      );
      const fields = selectFields(catalogue?.fields ?? [], args.filter ?? {});
      const page = checkCursor(readPage(given), [TextPart]);
      return {
        ...toConnection(pageOf(fields, page), page, ({ code }) => [code]),
        totalCount: fields.length,
        revision: catalogue?.revision ?? 0,
        readAt: catalogue?.read_at ?? null,
      };
    },
  },
  Mutation: {
    refreshFields: async (_: unknown, args: { input: unknown }, context: Context) => {
      const { connectionId, objects } = RefreshArguments.parse(args).input;
      requireRole(context.identity, 'MEMBER');
      const { workspaceId } = context;
      const found = await withWorkspace(deps.db, workspaceId, (tx) =>
        findConnection(tx, connectionId),
      );
      const connection = requireUsable(found, connectionId, 'input.connectionId');
      const use = { lane: 'interactive', feature: 'fields' } as const;
      const client = await deps.access.clientFor(workspaceId, connectionId, use);
      const changes = await refreshFields(deps, client, {
        connection,
        objects: requireCatalogued(objects ?? [...CATALOGUED]),
        asker: context,
      });
      return { connection, changes };
    },
  },
  PipedriveField: {
    readOnly: ({ readOnly }: FieldDefinition) => readOnly ?? false,
    options: ({ options }: FieldDefinition) =>
      (options ?? []).map(({ id, label }) => ({ id: String(id), label })),
  },
});

/** Absent and foreign are answered alike. */
async function requireId({ loaders }: Context, id: string): Promise<ConnectionId> {
  const connection = await loadById(ConnectionId, id, (known) => loaders.connections.load(known));
  return requireFound(connection, id, 'connectionId').id;
}

function requireCatalogued(objects: readonly PipedriveObject[]): CataloguedObject[] {
  const known = objects.filter(isCatalogued);
  if (known.length === objects.length) return known;
  throw new Refusal('invalid', 'Only fields of persons, organizations, deals and leads are known', {
    reason: 'invalid_input',
    field: 'input.objects',
    fix: `Use any of ${CATALOGUED.join(', ').toUpperCase()}.`,
  });
}

/** A page of a list that is in memory as a whole; codes are unique, so they are the cursors. */
function pageOf(fields: readonly FieldDefinition[], page: PageRequest): FieldDefinition[] {
  const ordered = page.backwards ? fields.toReversed() : fields;
  const [code] = page.cursor ?? [];
  const from = code === undefined ? 0 : ordered.findIndex((field) => field.code === code) + 1;
  return ordered.slice(from, from + page.limit);
}
