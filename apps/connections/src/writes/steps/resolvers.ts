import { PipedriveObject, ReasonCode } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  boundedText,
  checkCursor,
  IdPart,
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
import type { Db } from '../../store.ts';
import { redriveMany } from '../redriving/commands.ts';
import type { StepState } from '../tables.ts';
import { countSteps, listFilteredSteps, type StepFilter } from './store.ts';

/** A reason this version does not know is one that no step has. */
const Reasons = optional(z.array(boundedText(64)).max(100));
const shared = {
  reason: Reasons,
  object: optional(z.array(PipedriveObject).max(8)),
  connectionId: optional(boundedText(64)),
  causeService: optional(boundedText(32)),
};

const states = [
  ...(['planned', 'queued', 'sending', 'unknown', 'applied', 'no_change'] as const),
  ...(['superseded', 'skipped', 'parked', 'cancelled'] as const),
] as const satisfies readonly StepState[];

const State = boundedText(32)
  .transform((state) => state.toLowerCase())
  .pipe(z.enum(states));

const ListArguments = z.object({
  filter: optional(
    z.object({
      ...shared,
      state: optional(z.array(State).max(20)),
      pipedriveId: optional(boundedText(64)),
    }),
  ),
  orderBy: orderBy(['CREATED_AT']),
});
const RedriveArguments = z.object({ input: z.object(shared) });

export const createStepResolvers = (deps: {
  db: Db;
  now: () => Date;
  /** Tells the worker that there is something to send. */
  wake: () => void;
}): Resolvers => ({
  Query: {
    writeSteps: (_: unknown, args: PageArguments, { workspaceId }: RequestContext) =>
      withWorkspace(deps.db, workspaceId, (tx) => listPage(tx, args)),
  },
  Mutation: {
    redriveAll: async (_: unknown, args: unknown, context: RequestContext) => {
      requireRole(context.identity, 'MEMBER');
      const { input } = RedriveArguments.parse(args);
      if (Object.values(input).every(saysNothing)) throw tooWide();
      const filter = filterOf(input);
      const { userId } = context.identity;
      const asked = { asker: originOf(context), userId, filter };
      const result = await redriveMany(deps.db, asked, deps.now());
      deps.wake();
      return result;
    },
  },
});

async function listPage(tx: Db, args: PageArguments) {
  const { filter, orderBy: order } = ListArguments.parse(args);
  const page = checkCursor(readPage(args), [TimePart, IdPart]);
  const wanted: StepFilter = {
    ...(filter === undefined ? {} : filterOf(filter)),
    states: filter?.state,
    pipedriveId: filter?.pipedriveId,
  };
  const newestFirst = order?.direction !== 'ASC';
  const rows = await listFilteredSteps(tx, wanted, { ...page, newestFirst });
  return {
    ...toConnection(rows, page, (row) => [row.created_at.toISOString(), row.id]),
    totalCount: await countSteps(tx, wanted),
  };
}

const filterOf = (input: z.output<typeof RedriveArguments>['input']): StepFilter => ({
  reasons: input.reason?.flatMap((reason) => {
    const known = ReasonCode.safeParse(reason);
    return known.success ? [known.data] : [];
  }),
  objects: input.object,
  connectionId: input.connectionId,
  causeService: input.causeService,
});

const saysNothing = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.length === 0);

const tooWide = (): Refusal =>
  new Refusal('invalid', 'Name at least one condition', {
    reason: 'invalid_input',
    field: 'input',
    fix: 'Give the reason the steps are parked for, the kind of record, or the connection.',
  });
