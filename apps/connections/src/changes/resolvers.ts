import { ConnectionId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  boundedText,
  IdempotencyKey,
  optional,
  originOf,
  type PageArguments,
  requireRole,
  type Resolvers,
  toConnection,
} from '@manifold/subgraph';
import { z } from 'zod';
import type { Tx } from '../store.ts';
import type { WriteRequest } from '../writes/store.ts';
import { attributionFields } from './acting/fields.ts';
import { addWanted } from './opening/adding.ts';
import {
  approveChangeSet,
  cancelChangeSet,
  closeChangeSet,
  lockSet,
  pauseChangeSet,
  startApplying,
} from './deciding/commands.ts';
import {
  decideOwn,
  decideToStop,
  requireOwnSet,
  type Run,
  type Work,
} from './deciding/deciding.ts';
import { createSetFields, type FieldDeps, findSet } from './opening/fields.ts';
import { readSetListing } from './reading/listing.ts';
import type { ChangeSetContext as Context } from './reading/loaders.ts';
import { openChangeSet } from './opening/opening.ts';
import {
  changeWritePolicy,
  GuardRailsInput,
  policyFields,
  railsFields,
  readWritePolicy,
} from './policy/resolving.ts';
import { createChangeFields } from './rows/shown/fields.ts';
import { type ChangeSet, countChangeSets, listChangeSets } from './store.ts';
import { undoChangeSet } from './undoing/undoing.ts';
import { type Wanted, WantedList } from './wanted/shape.ts';

export interface ChangeSetResolverDeps extends FieldDeps {
  /** Tells the worker that there is something to plan or apply. */
  wakeChangeSets: () => void;
}

const id = boundedText(64);
const OneArguments = z.object({ input: z.object({ id }) });
const PlanArguments = z.object({
  input: z.object({
    connectionId: ConnectionId,
    title: boundedText(200).min(1),
    changes: WantedList,
    guardRails: GuardRailsInput,
    staysOpen: optional(z.boolean()),
    idempotencyKey: IdempotencyKey,
  }),
});
const AddArguments = z.object({
  input: z.object({ id, changes: WantedList, idempotencyKey: boundedText(200).min(1) }),
});
const ApproveArguments = z.object({
  input: z.object({
    id,
    hash: boundedText(64),
    first: optional(z.int().min(1).max(100_000)),
    starts: optional(z.boolean()),
    idempotencyKey: IdempotencyKey,
  }),
});
const UndoArguments = z.object({ input: z.object({ id, idempotencyKey: IdempotencyKey }) });

export const createChangeSetResolvers = (deps: ChangeSetResolverDeps): Resolvers => ({
  Query: createQueries(deps),
  Mutation: createMutations(deps),
  ChangeSet: createSetFields(deps),
  ChangeSetAttribution: attributionFields,
  Change: createChangeFields(deps),
  WritePolicy: policyFields,
  GuardRails: railsFields,
  WriteRequest: {
    changeSet: ({ change_set_id }: WriteRequest, _: unknown, { loaders }: Context) =>
      change_set_id === null ? null : loaders.changeSets.load(change_set_id),
  },
});

const createQueries = (deps: ChangeSetResolverDeps) => ({
  changeSet: (_: unknown, args: { id: string }, context: Context) => findSet(args.id, context),
  changeSets: async (_: unknown, args: PageArguments, { workspaceId }: Context) => {
    const { filter, page } = readSetListing(args);
    return withWorkspace(deps.db, workspaceId, async (tx) => ({
      ...toConnection(await listChangeSets(tx, filter, page), page, (row) => [row.id]),
      totalCount: await countChangeSets(tx, filter),
    }));
  },
  writePolicy: (_: unknown, __: unknown, context: Context) => readWritePolicy(deps.db, context),
});

const createMutations = (deps: ChangeSetResolverDeps) => ({
  planChangeSet: (_: unknown, args: unknown, context: Context) =>
    plan(deps, PlanArguments.parse(args).input, context),
  addToChangeSet: (_: unknown, args: unknown, context: Context) => {
    const { changes: wanted, ...input } = AddArguments.parse(args).input;
    const asked = { ...input, wanted, asker: originOf(context) };
    return decideOwn(deps, context, async (tx, now) => {
      await requireOwnSet(tx, await lockSet(tx, asked.id), { context, field: 'input.id' });
      await addWanted({ tx, vault: deps.vault }, asked, now);
      return lockSet(tx, asked.id);
    });
  },
  closeChangeSet: onOne(deps, closeChangeSet, () => decideOwn),
  // to stop is for all who decide
  pauseChangeSet: onOne(deps, pauseChangeSet, decideToStop),
  cancelChangeSet: onOne(deps, cancelChangeSet, decideToStop),
  ...createApprovals(deps),
  undoChangeSet: (_: unknown, args: unknown, context: Context) => {
    const { input } = UndoArguments.parse(args);
    const asked = { ...input, asker: originOf(context) };
    return decideOwn(deps, context, async (tx, now) =>
      lockSet(tx, await undoChangeSet(tx, asked, now)),
    );
  },
  setWritePolicy: (_: unknown, args: unknown, context: Context) =>
    changeWritePolicy(deps, args, context),
});

/** Only for whom the policy names; to go on with what was started is for all who decide. */
const createApprovals = (deps: ChangeSetResolverDeps) => ({
  applyChangeSet: async (_: unknown, args: unknown, context: Context) => {
    await requireApprover(deps, context);
    const { input } = OneArguments.parse(args);
    return decideOwn(deps, context, (tx, now) =>
      startApplying(tx, { ...input, decision: 'apply' }, now),
    );
  },
  resumeChangeSet: async (_: unknown, args: unknown, context: Context) => {
    const { input } = OneArguments.parse(args);
    const { approver_role } = await readWritePolicy(deps.db, context);
    return decideOwn(deps, context, async (tx, now) => {
      const { started_at } = await lockSet(tx, input.id);
      // to start a set is the approver's, however it is asked for
      if (started_at === null) requireRole(context.identity, approver_role);
      return startApplying(tx, { ...input, decision: 'resume' }, now);
    });
  },
  approveChangeSet: async (_: unknown, args: unknown, context: Context) => {
    await requireApprover(deps, context);
    const { first, starts = true, ...input } = ApproveArguments.parse(args).input;
    const asked = { ...input, first, starts, asker: originOf(context) };
    return decideOwn(deps, context, (tx, now) => approveChangeSet(tx, asked, now));
  },
});

const onOne =
  (
    deps: ChangeSetResolverDeps,
    decision: (tx: Tx, one: string, now: Date) => Promise<ChangeSet>,
    runOf: (id: string) => Run,
  ) =>
  (_: unknown, args: unknown, context: Context) => {
    const { input } = OneArguments.parse(args);
    return runOf(input.id)(deps, context, (tx, now) => decision(tx, input.id, now));
  };

async function requireApprover(deps: ChangeSetResolverDeps, context: Context): Promise<void> {
  const { approver_role } = await readWritePolicy(deps.db, context);
  requireRole(context.identity, approver_role);
}

interface PlanInput {
  connectionId: ConnectionId;
  title: string;
  changes: readonly Wanted[];
  guardRails: z.infer<typeof GuardRailsInput>;
  staysOpen: boolean | undefined;
  idempotencyKey: string | undefined;
}

/** Opens a set, adds the wishes and, unless more is to come, closes it; all of it or nothing, once per key. */
const plan = (deps: ChangeSetResolverDeps, input: PlanInput, context: Context) => {
  const work: Work = async (tx, now) => {
    const { changes: wanted, staysOpen, ...rest } = input;
    const asker = originOf(context);
    const cause = { service: 'connections', type: 'User', id: context.identity.userId };
    const opened = await openChangeSet(tx, { opening: { ...rest, cause }, asker }, now);
    const through = { connection_id: rest.connectionId };
    await requireOwnSet(tx, through, { context, field: 'input.connectionId' });
    // of a repeat only the wishes are compared
    const idempotencyKey = rest.idempotencyKey === undefined ? undefined : `first|${opened.id}`;
    const asked = { id: opened.id, wanted, idempotencyKey, asker, mayBeEmpty: staysOpen === true };
    await addWanted({ tx, vault: deps.vault }, asked, now);
    return staysOpen === true ? lockSet(tx, opened.id) : closeChangeSet(tx, opened.id, now);
  };
  return decideOwn(deps, context, work, 'input.connectionId');
};
