import { ConnectionId, type FieldDefinition, PipedriveObject } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  boundedText,
  checkCursor,
  idToFind,
  loadById,
  optional,
  originOf,
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
import type { PipedriveAccess } from '../accounts/calling/client.ts';
import { requireFound } from '../accounts/rules.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import { openConnection } from './asking.ts';
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
    connectionId: idToFind(ConnectionId),
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
      const page = checkCursor(readPage(given), [TextPart, NumberPart]);
      const places = new Map(fields.map(({ code }, place) => [code, String(place)]));
      return {
        ...toConnection(pageOf(fields, page), page, ({ code }) => [code, places.get(code) ?? '0']),
        totalCount: fields.length,
        revision: catalogue?.revision ?? 0,
        readAt: catalogue?.read_at ?? null,
      };
    },
  },
  Mutation: {
    refreshFields: async (_: unknown, args: { input: unknown }, context: Context) => {
      const { connectionId, objects } = RefreshArguments.parse(args).input;
      // whose connection it is decides what else it needs
      requireRole(context.identity, 'MEMBER');
      const { connection, client } = await openConnection(deps, context, {
        connectionId,
        feature: 'field_catalogue',
      });
      const changes = await refreshFields(deps, client, {
        connection,
        objects: objects === undefined ? undefined : requireCatalogued(objects),
        asker: originOf(context),
      });
      return { connection, changes };
    },
  },
  PipedriveField: {
    readOnly: ({ readOnly }: FieldDefinition) => readOnly ?? false,
    subfields: ({ subfields }: FieldDefinition) => subfields ?? [],
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
  throw new Refusal('invalid', 'Users have no fields here', {
    reason: 'invalid_input',
    field: 'input.objects',
    fix: `Use any of ${CATALOGUED.join(', ').toUpperCase()}.`,
  });
}

/** Where in the list a field stood, within a cursor. */
const NumberPart = z.string().regex(/^\d{1,6}$/);

/** A page of a list that is in memory as a whole. After a field that is gone comes what took its place. */
function pageOf(fields: readonly FieldDefinition[], page: PageRequest): FieldDefinition[] {
  const [code, place] = page.cursor ?? [];
  if (code === undefined) {
    return (page.backwards ? fields.toReversed() : fields).slice(0, page.limit);
  }
  const found = fields.findIndex((field) => field.code === code);
  const at = found === -1 ? Number(place) : found;
  if (page.backwards) return fields.slice(0, at).toReversed().slice(0, page.limit);
  const from = found === -1 ? at : at + 1;
  return fields.slice(from, from + page.limit);
}
