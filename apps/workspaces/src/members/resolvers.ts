import { MemberId, Role, UserId } from '@manifold/contracts';
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
import { z } from 'zod';
import type { Context } from '../loaders.ts';
import type { Db, Member } from '../store.ts';
import { memberIdOf, Name, Order } from '../arguments.ts';
import { inviteMember, removeMember, setMemberRole } from './commands.ts';
import { normaliseEmail } from './rules.ts';
import { countMembers, listMembers, type MemberFilter } from './store.ts';

const ListArguments = z.object({
  filter: optional(
    z.object({
      role: optional(z.array(Role).min(1).max(4)),
      email: optional(boundedText(254).transform(normaliseEmail)),
    }),
  ).transform((filter) => filter ?? {}),
  orderBy: Order,
});
const InviteArguments = z.object({
  input: z.object({
    email: z.string().max(254).transform(normaliseEmail).pipe(z.email()),
    name: Name,
    role: Role,
    idempotencyKey: IdempotencyKey,
  }),
});
const SetRoleArguments = z.object({ input: z.object({ memberId: z.string(), role: Role }) });
const RemoveArguments = z.object({ input: z.object({ memberId: z.string() }) });

export const createResolvers = ({ db, now }: { db: Db; now: () => Date }) => ({
  Query: {
    members: async (_: unknown, args: PageArguments, { workspaceId }: Context) => {
      const { filter, orderBy } = ListArguments.parse(args);
      const page = checkCursor(readPage(args), [IdPart]);
      const descending = orderBy?.direction === 'DESC';
      const rows = await withWorkspace(db, workspaceId, (tx) =>
        listMembers(tx, workspaceId, { filter, page, descending }),
      );
      return { ...toConnection(rows, page, (row) => [row.id]), filter };
    },
  },
  MemberConnection: {
    totalCount: ({ filter }: { filter: MemberFilter }, _: unknown, { workspaceId }: Context) =>
      withWorkspace(db, workspaceId, (tx) => countMembers(tx, workspaceId, filter)),
  },
  Mutation: {
    inviteMember: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'OWNER');
      const { input } = InviteArguments.parse(args);
      const id = await inviteMember(db, originOf(context), input, now());
      return { member: await context.loaders.members.load(id) };
    },
    setMemberRole: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'OWNER');
      const { input } = SetRoleArguments.parse(args);
      const memberId = memberIdOf(input.memberId);
      await setMemberRole(db, originOf(context), { memberId, role: input.role }, now());
      return { member: await context.loaders.members.clear(memberId).load(memberId) };
    },
    removeMember: async (_: unknown, args: unknown, context: Context) => {
      requireRole(context.identity, 'OWNER');
      const memberId = memberIdOf(RemoveArguments.parse(args).input.memberId);
      await removeMember(db, originOf(context), memberId, now());
      return { removedMemberId: memberId };
    },
  },
  Member: {
    __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
      loadById(MemberId, id, (known) => loaders.members.load(known)),
    user: (member: Member, _: unknown, { loaders }: Context) => loaders.users.load(member.user_id),
    createdAt: (member: Member) => member.created_at,
  },
  User: {
    __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
      loadById(UserId, id, (known) => loaders.users.load(known)),
  },
});
