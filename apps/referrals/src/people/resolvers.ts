import { ReferralUserId, type WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  checkCursor,
  checkFilter,
  IdPart,
  loadById,
  type PageArguments,
  readPage,
  type RequestContext,
  requireRole,
  type SortDirection,
  TextPart,
  TimePart,
  toConnection,
} from '@manifold/subgraph';
import { retryDelivery } from '../deliveries/retrying.ts';
import type { Loaders } from '../loaders.ts';
import type { Db, ReferralUser } from '../store.ts';
import { signUp } from './commands.ts';
import { RetryArguments, SignUpArguments } from './input.ts';
import { countUsers, listUsers, type UserFilter } from './store.ts';

type Context = RequestContext & { loaders: Loaders };

interface Deps {
  db: Db;
  now: () => Date;
}

interface ListArguments extends PageArguments {
  filter?: UserFilter | null;
  orderBy?: { field: 'SIGNED_UP_AT' | 'EMAIL'; direction: SortDirection } | null;
}

async function listPage(deps: Deps, workspaceId: WorkspaceId, args: ListArguments) {
  const { field, direction } = args.orderBy ?? { field: 'SIGNED_UP_AT', direction: 'DESC' };
  const filter = args.filter ?? {};
  checkFilter(filter);
  const page = checkCursor(readPage(args), [
    field === 'SIGNED_UP_AT' ? TimePart : TextPart,
    IdPart,
  ]);
  const query = {
    filter,
    orderBy: field === 'EMAIL' ? ('email_key' as const) : ('signed_up_at' as const),
    descending: direction === 'DESC',
    page,
  };
  const rows = await withWorkspace(deps.db, workspaceId, (tx) => listUsers(tx, workspaceId, query));
  return {
    ...toConnection(rows, page, ({ email_key, signed_up_at, id }) => [
      field === 'EMAIL' ? email_key : signed_up_at.toISOString(),
      id,
    ]),
    totalCount: () =>
      withWorkspace(deps.db, workspaceId, (tx) => countUsers(tx, workspaceId, filter)),
  };
}

/** Null for an id of another workspace as for one that is no id. */
const findOne = (id: string, { loaders }: Context) =>
  loadById(ReferralUserId, id, (known) => loaders.users.load(known));

const viewRecord = (pipedriveId: string | null, pipedriveUrl: string | null) =>
  pipedriveId === null ? null : { pipedriveId, pipedriveUrl };

const viewDelivery = (user: ReferralUser) => ({
  state: user.delivery_state,
  reason: user.delivery_reason,
  fix: user.delivery_fix,
  settledAt: user.delivery_settled_at,
  request: user.write_request_id === null ? null : { id: user.write_request_id },
  mapping: user.mapping_id === null ? null : { id: user.mapping_id },
  mappingVersion: user.mapping_version,
  person: viewRecord(user.person_pipedrive_id, user.person_url),
  lead: viewRecord(user.lead_pipedrive_id, user.lead_url),
});

export const createPeopleResolvers = (deps: Deps) => ({
  Query: {
    referralUser: (_: unknown, { id }: { id: string }, context: Context) => findOne(id, context),
    referralUsers: (_: unknown, args: ListArguments, { workspaceId }: Context) =>
      listPage(deps, workspaceId, args),
  },
  Mutation: {
    signUp: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'MEMBER');
      const { id, created } = await signUp(deps, context, SignUpArguments.parse(args).input);
      return { referralUser: await findOne(id, context), created };
    },
    retryDelivery: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'MEMBER');
      const { input } = RetryArguments.parse(args);
      await retryDelivery(deps, context, input);
      return { referralUser: await findOne(input.referralUserId, context) };
    },
  },
  ReferralUser: {
    __resolveReference: ({ id }: { id: string }, context: Context) => findOne(id, context),
    campaign: (user: ReferralUser, _: unknown, { loaders }: Context) =>
      loaders.campaigns.load(user.campaign_id),
    firstName: (user: ReferralUser) => user.first_name,
    lastName: (user: ReferralUser) => user.last_name,
    attributes: ({ attributes }: ReferralUser) =>
      Object.entries(attributes).map(([key, value]) => ({ key, value })),
    source: ({ referred_by }: ReferralUser) => (referred_by === null ? 'DIRECT' : 'REFERRAL'),
    referredBy: ({ referred_by }: ReferralUser, _: unknown, { loaders }: Context) =>
      referred_by === null ? null : loaders.users.load(referred_by),
    referralCount: (user: ReferralUser) => user.referral_count,
    isTest: (user: ReferralUser) => user.is_test,
    signedUpAt: (user: ReferralUser) => user.signed_up_at,
    delivery: viewDelivery,
  },
});
