import { DataSourceId, SyncRunId, type WorkspaceId } from '@manifold/contracts';
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
import { estimatePrice } from '../sizes/rules.ts';
import type { DataSource, Db, SyncRun } from '../store.ts';
import { startSync } from './commands.ts';
import { cancelSync } from './ending.ts';
import { isActive, progressOf } from './rules.ts';
import { countRuns, listRunPage, type RunFilter } from './store.ts';

const ListArguments = z.object({
  filter: optional(
    z.object({
      dataSourceId: optional(boundedText(64)),
      state: optional(z.enum(['QUEUED', 'RUNNING', 'WAITING', 'SUCCEEDED', 'FAILED', 'CANCELLED'])),
    }),
  ),
});
const StartArguments = z.object({
  input: z.object({ dataSourceId: DataSourceId, idempotencyKey: IdempotencyKey }),
});
const CancelArguments = z.object({ input: z.object({ syncRunId: SyncRunId }) });

interface Deps {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}

async function listRuns(
  { db }: Deps,
  args: PageArguments,
  { filter, workspaceId }: { filter: RunFilter; workspaceId: WorkspaceId },
) {
  const page = checkCursor(readPage(args), [IdPart]);
  const rows = await withWorkspace(db, workspaceId, (tx) =>
    listRunPage(tx, workspaceId, { page, filter }),
  );
  return {
    ...toConnection(rows, page, ({ id }) => [id]),
    totalCount: () => withWorkspace(db, workspaceId, (tx) => countRuns(tx, workspaceId, filter)),
  };
}

const syncRun = {
  __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
    loadById(SyncRunId, id, (known) => loaders.runs.load(known)),
  dataSource: (run: SyncRun, _: unknown, { loaders }: Context) =>
    loaders.sources.load(run.data_source_id),
  waitingUntil: (run: SyncRun) => (run.state === 'WAITING' ? run.not_before : null),
  reading: (run: SyncRun) => (isActive(run.state) ? run.object.toUpperCase() : null),
  mappingVersion: (run: SyncRun) => run.mapping_version,
  createdAt: (run: SyncRun) => run.created_at,
  startedAt: (run: SyncRun) => run.started_at,
  endedAt: (run: SyncRun) => run.ended_at,
  progress: (run: SyncRun) => progressOf(run),
  priceEstimate: (run: SyncRun) => estimatePrice(run),
  priceSpent: (run: SyncRun) => run.cost_tokens,
  counts: (run: SyncRun) =>
    Object.entries(run.counts).map(([reason, count]) => ({ reason, count })),
};

export const createRunResolvers = (deps: Deps) => ({
  Query: {
    syncRuns: (_: unknown, args: PageArguments, { workspaceId }: Context) =>
      listRuns(deps, args, { filter: ListArguments.parse(args).filter ?? {}, workspaceId }),
    syncRun: (_: unknown, { id }: { id: string }, { loaders }: Context) =>
      loadById(SyncRunId, id, (known) => loaders.runs.load(known)),
  },
  Mutation: {
    startSync: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'MEMBER');
      const { input } = StartArguments.parse(args);
      return { syncRun: await startSync(deps, { origin: originOf(context), ...input }) };
    },
    cancelSync: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'MEMBER');
      const { input } = CancelArguments.parse(args);
      return { syncRun: await cancelSync(deps, { origin: originOf(context), ...input }) };
    },
  },
  DataSource: {
    runs: (source: DataSource, args: PageArguments, { workspaceId }: Context) =>
      listRuns(deps, args, { filter: { dataSourceId: source.id }, workspaceId }),
  },
  Run: { __resolveType: () => 'SyncRun' },
  SyncRun: syncRun,
});
