import {
  type ConnectionId,
  OverwriteId,
  PipedriveObject,
  type WriteRequestId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  boundedText,
  checkCursor,
  createLoader,
  IdPart,
  loadById,
  optional,
  orderBy,
  originOf,
  type PageArguments,
  readPage,
  type RequestContext,
  requireRole,
  type Resolvers,
  TimePart,
  toConnection,
} from '@manifold/subgraph';
import { z } from 'zod';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import type { WriteRequest } from '../store.ts';
import { dismissOverwrite, restoreOverwrite } from './commands.ts';
import { countOverwrites, listOverwrites, listOverwritesByIds, type Overwrite } from './store.ts';

export const createOverwriteLoaders = ({ db }: { db: Db }, { workspaceId }: RequestContext) => ({
  overwrites: createLoader<OverwriteId, Overwrite>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listOverwritesByIds(tx, ids)),
    ({ id }) => id,
  ),
});

type Context = RequestContext & {
  loaders: ReturnType<typeof createOverwriteLoaders> & {
    connections: { load(id: ConnectionId): Promise<Connection | null> };
    writeRequests: { load(id: WriteRequestId): Promise<WriteRequest | null> };
  };
};

const states = { OPEN: 'open', RESTORED: 'restored', DISMISSED: 'dismissed' } as const;

const ListArguments = z.object({
  filter: optional(
    z.object({
      state: optional(z.array(z.enum(['OPEN', 'RESTORED', 'DISMISSED'])).max(3)),
      connectionId: optional(boundedText(64)),
      object: optional(z.array(PipedriveObject).max(8)),
      pipedriveId: optional(boundedText(64)),
    }),
  ),
  orderBy: orderBy(['NOTICED_AT']),
});
const NamedArguments = z.object({ input: z.object({ id: z.string().max(64) }) });

export const createOverwriteResolvers = (deps: {
  db: Db;
  vault: Vault;
  now: () => Date;
  /** Tells the worker that there is something to send. */
  wake: () => void;
}): Resolvers => ({
  Query: {
    overwrites: (_: unknown, args: PageArguments, { workspaceId }: Context) =>
      withWorkspace(deps.db, workspaceId, (tx) => listPage(tx, args)),
  },
  Mutation: {
    restoreOverwrite: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'MEMBER');
      const asked = askedOf(args, context);
      const restored = await restoreOverwrite(deps, asked, deps.now());
      if (!restored) throw absent(asked.id);
      deps.wake();
      const { overwrite, writeRequestId } = restored;
      return { overwrite, writeRequest: context.loaders.writeRequests.load(writeRequestId) };
    },
    dismissOverwrite: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'MEMBER');
      const asked = askedOf(args, context);
      const overwrite = await dismissOverwrite(deps.db, asked, deps.now());
      if (!overwrite) throw absent(asked.id);
      return { overwrite };
    },
  },
  Overwrite: overwriteFields,
});

async function listPage(tx: Db, args: PageArguments) {
  const { filter, orderBy: order } = ListArguments.parse(args);
  const page = checkCursor(readPage(args), [TimePart, IdPart]);
  const wanted = {
    states: filter?.state?.map((state) => states[state]),
    connectionId: filter?.connectionId,
    objects: filter?.object,
    pipedriveId: filter?.pipedriveId,
  };
  const newestFirst = order?.direction !== 'ASC';
  const rows = await listOverwrites(tx, wanted, { ...page, newestFirst });
  return {
    ...toConnection(rows, page, (row) => [row.noticed_at.toISOString(), row.id]),
    totalCount: await countOverwrites(tx, wanted),
  };
}

function askedOf(args: unknown, context: Context) {
  const { id } = NamedArguments.parse(args).input;
  const known = OverwriteId.safeParse(id);
  if (!known.success) throw absent(id);
  return { asker: originOf(context), id: known.data };
}

const absent = (id: string): Refusal =>
  new Refusal('not_found', `There is no overwrite ${id}`, {
    reason: 'record_not_found',
    field: 'input.id',
    fix: 'Use an id that `overwrites` lists.',
  });

const overwriteFields = {
  __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
    loadById(OverwriteId, id, (known) => loaders.overwrites.load(known)),
  pipedriveId: ({ pipedrive_id }: Overwrite) => pipedrive_id,
  pipedriveUrl: ({ pipedrive_url }: Overwrite) => pipedrive_url,
  connection: ({ connection_id }: Overwrite, _: unknown, { loaders }: Context) =>
    loaders.connections.load(connection_id),
  state: ({ state }: Overwrite) => state.toUpperCase(),
  restorableUntil: ({ sealed_values, values_until }: Overwrite) =>
    sealed_values === null ? null : values_until,
  writeRequest: ({ write_request_id }: Overwrite, _: unknown, { loaders }: Context) =>
    loaders.writeRequests.load(write_request_id),
  actor: ({ actor_kind, actor_id }: Overwrite) => ({
    kind: actor_kind.toUpperCase(),
    id: actor_id,
  }),
  restoredBy: ({ restored_by }: Overwrite, _: unknown, { loaders }: Context) =>
    restored_by === null ? null : loaders.writeRequests.load(restored_by),
  noticedAt: ({ noticed_at }: Overwrite) => noticed_at,
  closedAt: ({ closed_at }: Overwrite) => closed_at,
};
