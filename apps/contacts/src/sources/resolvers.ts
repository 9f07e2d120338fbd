import { ConnectionId, DataSourceId, FieldMappingId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  boundedText,
  checkCursor,
  IdempotencyKey,
  IdPart,
  loadById,
  optional,
  originOf,
  type PageArguments,
  readPage,
  requireRole,
  toConnection,
} from '@manifold/subgraph';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import type { Context } from '../loaders.ts';
import type { DataSource, Db } from '../store.ts';
import { createDataSource } from './commands.ts';
import { countLinks, countSources, listSourcePage } from './store.ts';

const ListArguments = z.object({
  filter: optional(
    z.object({
      state: optional(z.enum(['DRAFT', 'ACTIVE', 'DISCONNECTED', 'ARCHIVED', 'DELETED'])),
      connectionId: optional(boundedText(64)),
    }),
  ),
});
const CreateArguments = z.object({
  input: z.object({
    name: boundedText(100).trim().min(1),
    connectionId: optional(ConnectionId),
    mappingId: optional(FieldMappingId),
    requireIdentifier: optional(z.boolean()),
    idempotencyKey: IdempotencyKey,
  }),
});

export const createSourceResolvers = (deps: { db: Db; nats: NatsConnection; now: () => Date }) => ({
  Query: {
    dataSources: async (_: unknown, args: PageArguments, { workspaceId }: Context) => {
      const { filter = {} } = ListArguments.parse(args);
      const page = checkCursor(readPage(args), [IdPart]);
      const rows = await withWorkspace(deps.db, workspaceId, (tx) =>
        listSourcePage(tx, workspaceId, { page, filter }),
      );
      return {
        ...toConnection(rows, page, ({ id }) => [id]),
        totalCount: () =>
          withWorkspace(deps.db, workspaceId, (tx) => countSources(tx, workspaceId, filter)),
      };
    },
    dataSource: (_: unknown, { id }: { id: string }, { loaders }: Context) =>
      loadById(DataSourceId, id, (known) => loaders.sources.load(known)),
  },
  Mutation: {
    createDataSource: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const { idempotencyKey, ...input } = CreateArguments.parse(args).input;
      const origin = originOf(context);
      return { dataSource: await createDataSource(deps, { origin, input, idempotencyKey }) };
    },
  },
  DataSource: {
    __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
      loadById(DataSourceId, id, (known) => loaders.sources.load(known)),
    connection: ({ connection_id: id }: DataSource) => (id === null ? null : { id }),
    mapping: ({ mapping_id: id }: DataSource) => (id === null ? null : { id }),
    mappingVersion: (source: DataSource) => source.mapping_version,
    retentionDays: (source: DataSource) => source.retention_days,
    requireIdentifier: (source: DataSource) => source.require_identifier,
    counts: (source: DataSource, _: unknown, { workspaceId }: Context) =>
      withWorkspace(deps.db, workspaceId, (tx) => countLinks(tx, workspaceId, source.id)),
    lastRun: (source: DataSource, _: unknown, { loaders }: Context) =>
      loaders.lastRuns.load(source.id),
    createdAt: (source: DataSource) => source.created_at,
    updatedAt: (source: DataSource) => source.updated_at,
  },
});
