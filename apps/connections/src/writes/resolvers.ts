import { type ConnectionId, WriteRequestId, WriteStepId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  createGroupLoader,
  createLoader,
  IdempotencyKey,
  loadById,
  originOf,
  type PageArguments,
  type RequestContext,
  requireRole,
  type Resolvers,
  toConnection,
} from '@manifold/subgraph';
import { z } from 'zod';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import { cancelRequest } from './commands.ts';
import { redriveStep } from './redriving/commands.ts';
import { readListing } from './listing.ts';
import { createPauseLoader } from './waiting/pauses.ts';
import { decideWait, type Explanation } from './waiting/rules.ts';
import {
  countRequests,
  listRequests,
  listRequestsByIds,
  listSteps,
  listStepsByIds,
  type Step,
  type WriteRequest,
} from './store.ts';

/** One batched query per request for requests and steps named anywhere in the graph. */
export const createWriteLoaders = (
  { db, now = () => new Date() }: { db: Db; now?: () => Date },
  { workspaceId }: RequestContext,
) => ({
  pauses: createPauseLoader({ db, now }, workspaceId),
  writeRequests: createLoader<WriteRequestId, WriteRequest>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listRequestsByIds(tx, ids)),
    ({ id }) => id,
  ),
  writeSteps: createLoader<WriteStepId, Step>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listStepsByIds(tx, ids)),
    ({ id }) => id,
  ),
  stepsOfRequest: createGroupLoader<WriteRequestId, Step>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listSteps(tx, ids)),
    (step) => step.write_request_id,
  ),
});

type Context = RequestContext & {
  loaders: ReturnType<typeof createWriteLoaders> & {
    connections: { load(id: ConnectionId): Promise<Connection | null> };
  };
};

const CancelArguments = z.object({ input: z.object({ id: z.string().max(64) }) });
const RedriveArguments = z.object({
  input: z.object({ writeStepId: z.string().max(64), idempotencyKey: IdempotencyKey }),
});

export const createWriteResolvers = (deps: {
  db: Db;
  now: () => Date;
  /** Tells the worker that there is something to send. */
  wake: () => void;
}): Resolvers => ({
  Query: {
    writeRequest: (_: unknown, { id }: { id: string }, context: Context) =>
      findRequest(id, context),
    writeRequests: async (_: unknown, args: PageArguments, { workspaceId }: Context) => {
      const { filter, page } = readListing(args);
      return withWorkspace(deps.db, workspaceId, async (tx) => {
        const rows = await listRequests(tx, filter, page);
        const connection = toConnection(rows, page, (row) => [
          row.created_at.toISOString(),
          row.id,
        ]);
        return { ...connection, totalCount: await countRequests(tx, filter) };
      });
    },
  },
  Mutation: {
    redrive: async (_: unknown, args: { input: unknown }, context: Context) => {
      requireRole(context.identity, 'MEMBER');
      const { writeStepId, idempotencyKey } = RedriveArguments.parse(args).input;
      const id = WriteStepId.safeParse(writeStepId);
      const { userId } = context.identity;
      const asked = { asker: originOf(context), userId, idempotencyKey };
      const step = id.success
        ? await redriveStep(deps.db, { ...asked, stepId: id.data }, deps.now())
        : undefined;
      if (!step) throw absent('write step', writeStepId, 'input.writeStepId');
      deps.wake();
      return { writeStep: step };
    },
    cancelWriteRequest: async (_: unknown, args: { input: unknown }, context: Context) => {
      requireRole(context.identity, 'MEMBER');
      const { input: named } = CancelArguments.parse(args);
      const id = WriteRequestId.safeParse(named.id);
      const asker = originOf(context);
      const request = id.success
        ? await cancelRequest(deps.db, { asker, requestId: id.data }, deps.now())
        : undefined;
      if (!request) throw absent('write request', named.id, 'input.id');
      return { writeRequest: request };
    },
  },
  WriteRequest: requestFields,
  WriteStep: stepFields,
});

const absent = (thing: string, id: string, field: string): Refusal =>
  new Refusal('not_found', `There is no ${thing} ${id}`, {
    reason: 'record_not_found',
    field,
    fix: 'Use an id that `writeRequests` lists.',
  });

const findRequest = (id: string, { loaders }: Context) =>
  loadById(WriteRequestId, id, (known) => loaders.writeRequests.load(known));

const requestFields = {
  __resolveReference: ({ id }: { id: string }, context: Context) => findRequest(id, context),
  state: ({ state }: WriteRequest) => state.toUpperCase(),
  lane: ({ lane }: WriteRequest) => lane.toUpperCase(),
  cause: ({ cause_service, cause_type, cause_id }: WriteRequest) => ({
    service: cause_service,
    type: cause_type,
    id: cause_id,
  }),
  connection: ({ connection_id }: WriteRequest, _: unknown, { loaders }: Context) =>
    loaders.connections.load(connection_id),
  steps: ({ id }: WriteRequest, _: unknown, { loaders }: Context) =>
    loaders.stepsOfRequest.load(id),
  costTokens: async ({ id }: WriteRequest, _: unknown, { loaders }: Context) =>
    (await loaders.stepsOfRequest.load(id)).reduce((sum, step) => sum + step.cost_tokens, 0),
  correlationId: ({ correlation_id }: WriteRequest) => correlation_id,
  createdAt: ({ created_at }: WriteRequest) => created_at,
  settledAt: ({ settled_at }: WriteRequest) => settled_at,
};

const mayWait = ({ state }: Step) =>
  state === 'planned' || state === 'queued' || state === 'unknown';

/** What a step ended with is stored; what it waits for now is seen from its connection. */
async function explain(step: Step, { loaders }: Context): Promise<Explanation> {
  if (!mayWait(step)) return step;
  const [request, connection, paused] = await Promise.all([
    loaders.writeRequests.load(step.write_request_id),
    loaders.connections.load(step.connection_id),
    loaders.pauses.load(step.connection_id),
  ]);
  return decideWait(step, { request, connection, pause: paused?.pause });
}

const stepFields = {
  __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
    loadById(WriteStepId, id, (known) => loaders.writeSteps.load(known)),
  state: ({ state }: Step) => state.toUpperCase(),
  operation: ({ operation }: Step) => operation.toUpperCase(),
  effect: ({ effect }: Step) => effect?.toUpperCase() ?? null,
  reason: async (step: Step, _: unknown, context: Context) => (await explain(step, context)).reason,
  cause: async (step: Step, _: unknown, context: Context) => (await explain(step, context)).cause,
  fix: async (step: Step, _: unknown, context: Context) => (await explain(step, context)).fix,
  pipedriveId: ({ pipedrive_id, target_pipedrive_id }: Step) => pipedrive_id ?? target_pipedrive_id,
  pipedriveUrl: ({ pipedrive_url }: Step) => pipedrive_url,
  costTokens: ({ cost_tokens }: Step) => cost_tokens,
  nextAttemptAt: ({ state, not_before, created_at }: Step) =>
    state === 'unknown' || (state === 'queued' && not_before > created_at) ? not_before : null,
  changedKeys: ({ changed_keys }: Step) => changed_keys,
  settledAt: ({ settled_at }: Step) => settled_at,
};
