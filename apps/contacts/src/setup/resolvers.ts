import { ConnectionId, DataSourceId, FieldMappingId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { boundedText, optional, originOf, requireRole } from '@manifold/subgraph';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import type { Context } from '../loaders.ts';
import type { DataSource, Db } from '../store.ts';
import { findMissing, updateDataSource } from './commands.ts';

const STEPS = ['CONNECT', 'FIELDS', 'RETENTION', 'SELECTION', 'MERGE', 'SYNC'] as const;
const UpdateArguments = z.object({
  input: z.object({
    dataSourceId: DataSourceId,
    name: optional(boundedText(100).trim().min(1)),
    step: optional(z.enum(STEPS)),
    connectionId: optional(ConnectionId),
    mappingId: optional(FieldMappingId),
    retentionDays: optional(z.int().min(1).max(3650)),
    requireIdentifier: optional(z.boolean()),
  }),
});

export const createSetupResolvers = (deps: { db: Db; nats: NatsConnection; now: () => Date }) => ({
  Mutation: {
    updateDataSource: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'ADMIN');
      const { dataSourceId, ...changes } = UpdateArguments.parse(args).input;
      const origin = originOf(context);
      return { dataSource: await updateDataSource(deps, { origin, dataSourceId, changes }) };
    },
  },
  DataSource: {
    setup: (source: DataSource) => ({
      step: source.step,
      missing: () => withWorkspace(deps.db, source.workspace_id, (tx) => findMissing(tx, source)),
    }),
  },
});
