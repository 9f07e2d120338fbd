import type { MemberId, Role, UserId, WorkspaceId } from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import type { Insertable, SelectQueryBuilder } from 'kysely';
import type { Db, Member, Tables, User } from '../store.ts';

export interface MemberFilter {
  role?: readonly Role[] | undefined;
  email?: string | undefined;
  userId?: UserId | undefined;
}

type MemberQuery<Row> = SelectQueryBuilder<Tables, 'member' | 'app_user', Row>;

const members = (tx: Db, workspaceId: WorkspaceId) =>
  tx
    .selectFrom('member')
    .innerJoin('app_user', 'app_user.id', 'member.user_id')
    .where('member.workspace_id', '=', workspaceId);

function matching<Row>(query: MemberQuery<Row>, filter: MemberFilter): MemberQuery<Row> {
  let matched = query;
  if (filter.role) matched = matched.where('member.role', 'in', [...filter.role]);
  if (filter.email) matched = matched.where('app_user.email', '=', filter.email);
  if (filter.userId) matched = matched.where('app_user.id', '=', filter.userId);
  return matched;
}

export async function listMembers(
  tx: Db,
  workspaceId: WorkspaceId,
  { filter, page, descending }: { filter: MemberFilter; page: PageRequest; descending: boolean },
): Promise<Member[]> {
  const rows = matching(members(tx, workspaceId), filter).selectAll('member');
  return pageByKeyset(rows, { by: ['member.id'], descending, page }).execute();
}

export async function countMembers(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: MemberFilter,
): Promise<number> {
  return countRows(matching(members(tx, workspaceId), filter));
}

export async function listMembersByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly MemberId[],
): Promise<Member[]> {
  return tx
    .selectFrom('member')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', [...ids])
    .execute();
}

/** A person as one workspace knows the person. */
export type KnownUser = User & { name: string };

export async function listUsersByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly UserId[],
): Promise<KnownUser[]> {
  return members(tx, workspaceId)
    .select(['app_user.id', 'app_user.email', 'app_user.created_at', 'member.name'])
    .where('app_user.id', 'in', [...ids])
    .execute();
}

export async function findMember(
  tx: Db,
  workspaceId: WorkspaceId,
  id: MemberId,
): Promise<Member | undefined> {
  const [member] = await listMembersByIds(tx, workspaceId, [id]);
  return member;
}

export async function findMemberOfUser(
  tx: Db,
  workspaceId: WorkspaceId,
  userId: UserId,
): Promise<Member | undefined> {
  return tx
    .selectFrom('member')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
}

/** Holds a workspace's list of members until the transaction ends; counts its owners. */
export async function lockOwners(tx: Db, workspaceId: WorkspaceId): Promise<number> {
  await tx
    .selectFrom('workspace')
    .select('workspace_id')
    .where('workspace_id', '=', workspaceId)
    .forUpdate()
    .execute();
  return countMembers(tx, workspaceId, { role: ['OWNER'] });
}

export async function insertMember(tx: Db, member: Insertable<Tables['member']>): Promise<void> {
  await tx.insertInto('member').values(member).execute();
}

export async function setRole(
  tx: Db,
  member: { workspaceId: WorkspaceId; id: MemberId; role: Role },
): Promise<void> {
  await tx
    .updateTable('member')
    .set({ role: member.role })
    .where('workspace_id', '=', member.workspaceId)
    .where('id', '=', member.id)
    .execute();
}

export async function deleteMember(tx: Db, workspaceId: WorkspaceId, id: MemberId): Promise<void> {
  await tx
    .deleteFrom('member')
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .execute();
}
