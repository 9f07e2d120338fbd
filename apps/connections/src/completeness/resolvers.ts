import { CompletenessCertificateId, ConnectionId, PipedriveObject } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  createLoader,
  IdempotencyKey,
  idToFind,
  loadById,
  originOf,
  type RequestContext,
  requireRole,
  type Resolvers,
} from '@manifold/subgraph';
import { z } from 'zod';
import { requireDeciding } from '../accounts/ownership/commands.ts';
import { managerOf } from '../accounts/ownership/rules.ts';
import { requireUsable } from '../accounts/rules.ts';
import { findConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import { cancelVerification, verifyOnce } from './commands.ts';
import { listCertificates, listNewestCertificates } from './store.ts';
import type { Certificate } from './tables.ts';
import { adviseOn } from './trouble/rules.ts';

export const createCompletenessLoaders = ({ db }: { db: Db }, { workspaceId }: RequestContext) => ({
  certificates: createLoader<CompletenessCertificateId, Certificate>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listCertificates(tx, ids)),
    ({ id }) => id,
  ),
});

type Context = RequestContext & {
  loaders: ReturnType<typeof createCompletenessLoaders> & {
    connections: { load(id: ConnectionId): Promise<Connection | null> };
  };
};

const VerifyArguments = z.object({
  input: z.object({
    connectionId: idToFind(ConnectionId),
    object: PipedriveObject,
    repair: z.boolean().nullish(),
    idempotencyKey: IdempotencyKey,
  }),
});
const CancelArguments = z.object({ input: z.object({ id: idToFind(CompletenessCertificateId) }) });

export const createCompletenessResolvers = (deps: { db: Db; now: () => Date }): Resolvers => ({
  Query: {
    completeness: async (_: unknown, args: { connectionId: string }, context: Context) => {
      const known = (id: ConnectionId) => context.loaders.connections.load(id);
      const connection = await loadById(ConnectionId, args.connectionId, known);
      if (!connection) return [];
      return withWorkspace(deps.db, context.workspaceId, (tx) =>
        listNewestCertificates(tx, context.workspaceId, connection.company_id),
      );
    },
  },
  Mutation: {
    verifyCompleteness: async (_: unknown, args: unknown, context: Context) => {
      const { input } = VerifyArguments.parse(args);
      const { connectionId, object, repair, idempotencyKey } = input;
      requireRole(context.identity, 'MEMBER');
      const asker = originOf(context);
      const certificate = await withWorkspace(deps.db, context.workspaceId, async (tx) => {
        const found = await findConnection(tx, connectionId);
        const connection = requireUsable(found, connectionId, 'input.connectionId');
        await requireDeciding(tx, connection, decidingOf(context));
        const wanted = { connection, object, repairs: repair ?? true };
        return verifyOnce(tx, wanted, { asker, now: deps.now(), idempotencyKey });
      });
      return { certificate };
    },
    cancelVerification: async (_: unknown, args: unknown, context: Context) => {
      const { id } = CancelArguments.parse(args).input;
      requireRole(context.identity, 'MEMBER');
      const certificate = await withWorkspace(deps.db, context.workspaceId, async (tx) => {
        const cancelled = await cancelVerification(tx, id, deps.now());
        const connection = await findConnection(tx, cancelled.connection_id);
        // refused, nothing is kept; to stop is for every administrator
        const deciding = { ...decidingOf(context), field: 'input.id' };
        if (connection && !deciding.by.byAdmin) await requireDeciding(tx, connection, deciding);
        return cancelled;
      });
      return { certificate };
    },
  },
  CompletenessCertificate: certificateFields,
});

const decidingOf = ({ identity }: Context) => ({
  by: managerOf(identity),
  field: 'input.connectionId',
});

const certificateFields = {
  __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
    loadById(CompletenessCertificateId, id, (known) => loaders.certificates.load(known)),
  connection: ({ connection_id }: Certificate, _: unknown, { loaders }: Context) =>
    loaders.connections.load(connection_id),
  pipedriveCount: ({ pipedrive_count }: Certificate) => pipedrive_count,
  knownCount: ({ known_count }: Certificate) => known_count,
  pipedriveHash: ({ pipedrive_hash }: Certificate) => pipedrive_hash,
  knownHash: ({ known_hash }: Certificate) => known_hash,
  firstMissingId: ({ first_missing_id }: Certificate) => first_missing_id,
  firstStaleId: ({ first_stale_id }: Certificate) => first_stale_id,
  firstExtraId: ({ first_extra_id }: Certificate) => first_extra_id,
  hasMore: ({ has_more }: Certificate) => has_more,
  cause: (certificate: Certificate) => adviseOn(certificate)?.cause ?? null,
  fix: (certificate: Certificate) => adviseOn(certificate)?.fix ?? null,
  costTokens: ({ cost_tokens }: Certificate) => cost_tokens,
  startedAt: ({ started_at }: Certificate) => started_at,
  asOf: ({ as_of }: Certificate) => as_of,
  takenAt: ({ taken_at }: Certificate) => taken_at,
  finishedAt: ({ finished_at }: Certificate) => finished_at,
};
