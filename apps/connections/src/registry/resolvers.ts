import { ConnectionId, PipedriveObject, RecordKey, type WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  createGroupLoader,
  IdempotencyKey,
  idToFind,
  loadById,
  type RequestContext,
  requireRole,
  type Resolvers,
} from '@manifold/subgraph';
import { z } from 'zod';
import { requireDeciding } from '../accounts/ownership/commands.ts';
import { managerOf } from '../accounts/ownership/rules.ts';
import { requireUsable, requireFound } from '../accounts/rules.ts';
import { findConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import { adviseOn } from '../completeness/trouble/rules.ts';
import type { Db } from '../store.ts';
import { type RegistryDeps, releaseRegistry, requireOnce } from './commands.ts';
import { countKnown } from './records/store.ts';
import { decideTracking, readKeyName } from './rules.ts';
import { listNeeds } from './needs/store.ts';
import { listRegistries } from './store.ts';
import type { RecordRegistry } from './tables.ts';

/** What somebody asked for by hand is needed until they take it back. */
const BY_HAND = 'manual';

type Context = RequestContext & {
  loaders: ReturnType<typeof createRegistryLoaders> & {
    connections: { load(id: ConnectionId): Promise<Connection | null> };
  };
};

/** What belongs to the registries of a company, all of it with one query. */
export const createRegistryLoaders = ({ db }: { db: Db }, { workspaceId }: RequestContext) => {
  const ofCompanies = <Row>(
    list: (tx: Db, of: { workspaceId: WorkspaceId; companyId: string }) => Promise<Row[]>,
  ) =>
    createGroupLoader<string, Row & { companyId: string }>(
      (companyIds) =>
        withWorkspace(db, workspaceId, async (tx) => {
          const rows: (Row & { companyId: string })[] = [];
          for (const companyId of companyIds) {
            const found = await list(tx, { workspaceId, companyId });
            rows.push(...found.map((row) => ({ ...row, companyId })));
          }
          return rows;
        }),
      ({ companyId }) => companyId,
    );
  return { recordCounts: ofCompanies(countKnown), recordNeeds: ofCompanies(listNeeds) };
};

const KeyInput = z
  .object({
    kind: z.enum(['EMAIL', 'PHONE', 'NAME', 'DOMAIN', 'FIELD']),
    field: z.string().max(64).nullish(),
  })
  .transform(({ kind, field }): unknown => ({
    kind: kind.toLowerCase(),
    ...(field == null ? {} : { field }),
  }))
  .pipe(RecordKey);
const TrackArguments = z.object({
  input: z.object({
    connectionId: idToFind(ConnectionId),
    object: PipedriveObject,
    keys: z.array(KeyInput).max(10),
    idempotencyKey: IdempotencyKey,
  }),
});
const UntrackArguments = z.object({
  input: z.object({ connectionId: idToFind(ConnectionId), object: PipedriveObject }),
});

export const createRegistryResolvers = (deps: RegistryDeps): Resolvers => ({
  Query: {
    recordTracking: async (_: unknown, args: { connectionId: string }, context: Context) => {
      const known = (id: ConnectionId) => context.loaders.connections.load(id);
      const connection = await loadById(ConnectionId, args.connectionId, known);
      if (!connection) return [];
      return withWorkspace(deps.db, context.workspaceId, (tx) =>
        listRegistries(tx, context.workspaceId, connection.company_id),
      );
    },
  },
  Mutation: {
    trackRecords: async (_: unknown, args: unknown, context: Context) => {
      const { connectionId, object, keys, idempotencyKey } = TrackArguments.parse(args).input;
      requireRole(context.identity, 'MEMBER');
      const tracking = await withWorkspace(deps.db, context.workspaceId, async (tx) => {
        const found = await findConnection(tx, connectionId);
        const connection = requireUsable(found, connectionId, 'input.connectionId');
        await requireDeciding(tx, connection, decidingOf(context));
        const wanted = { connection, object, keys, feature: BY_HAND };
        return requireOnce(tx, wanted, { ...deps, now: deps.now(), idempotencyKey });
      });
      return { tracking };
    },
    untrackRecords: async (_: unknown, args: unknown, context: Context) => {
      const { connectionId, object } = UntrackArguments.parse(args).input;
      requireRole(context.identity, 'MEMBER');
      const untracked = await withWorkspace(deps.db, context.workspaceId, async (tx) => {
        const found = await findConnection(tx, connectionId);
        const connection = requireFound(found, connectionId, 'input.connectionId');
        await requireDeciding(tx, connection, decidingOf(context));
        return releaseRegistry(tx, { connection, object, feature: BY_HAND }, deps.now());
      });
      return { untracked };
    },
  },
  RecordTracking: trackingFields,
});

const decidingOf = ({ identity }: Context) => ({
  by: managerOf(identity),
  field: 'input.connectionId',
});

const trackingFields = {
  connection: ({ connection_id }: RecordRegistry, _: unknown, { loaders }: Context) =>
    loaders.connections.load(connection_id),
  state: (registry: RecordRegistry) => decideTracking(registry),
  keys: ({ wanted_keys }: RecordRegistry) =>
    wanted_keys.map(readKeyName).map(({ kind, field }) => ({ kind: kind.toUpperCase(), field })),
  features: async (registry: RecordRegistry, _: unknown, { loaders }: Context) => {
    const needs = await loaders.recordNeeds.load(registry.company_id);
    const own = needs.filter(({ object }) => object === registry.object);
    return [...new Set(own.map(({ feature }) => feature))];
  },
  recordCount: async (registry: RecordRegistry, _: unknown, { loaders }: Context) => {
    const counts = await loaders.recordCounts.load(registry.company_id);
    return counts.find(({ object }) => object === registry.object)?.count ?? 0;
  },
  cause: (registry: RecordRegistry) => adviseOn(registry)?.cause ?? null,
  fix: (registry: RecordRegistry) => adviseOn(registry)?.fix ?? null,
  certifiedUntil: ({ certified_until }: RecordRegistry) => certified_until,
  sweptUntil: ({ swept_until }: RecordRegistry) => swept_until,
  nextSweepAt: ({ sweep_at }: RecordRegistry) => sweep_at,
};
