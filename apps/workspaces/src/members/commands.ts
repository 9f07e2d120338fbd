import {
  ApiKeyRevoked,
  MemberAdded,
  MemberId,
  MemberRemoved,
  MemberRoleChanged,
  type Role,
  UserId,
} from '@manifold/contracts';
import { acrossWorkspaces, createOnce, newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Origin, publish } from '@manifold/messaging';
import { findOrInsertUser } from '../directory/store.ts';
import { revokeKeysOfUser } from '../keys/store.ts';
import type { Db, Member } from '../store.ts';
import { decideRoleChange, isLastOwner, normaliseEmail } from './rules.ts';
import {
  deleteMember,
  findMember,
  findMemberOfUser,
  insertMember,
  lockOwners,
  setRole,
} from './store.ts';

export interface Invitation {
  email: string;
  name: string;
  role: Role;
  idempotencyKey?: string | undefined;
}

/** Adds a person to the workspace; a person known by this e-mail elsewhere is the same user. */
export async function inviteMember(
  db: Db,
  origin: Origin,
  { idempotencyKey, ...input }: Invitation,
  now: Date,
): Promise<MemberId> {
  const { workspaceId } = origin;
  const email = normaliseEmail(input.email);
  // a user without a membership is seen by nobody, so a failure in between leaves nothing behind
  const userId = await acrossWorkspaces(db, (tx) =>
    findOrInsertUser(tx, { id: newId('us', UserId), email, now }),
  );
  return withWorkspace(db, workspaceId, async (tx) => {
    const call = { workspaceId, operation: 'inviteMember', key: idempotencyKey, input, now };
    const { id } = await createOnce(tx, { ...call, parseId: parseMemberId }, async () => {
      await lockOwners(tx, workspaceId);
      if (await findMemberOfUser(tx, workspaceId, userId)) throw alreadyMember();
      const member = { id: newId('mb', MemberId), user_id: userId, name: input.name };
      await insertMember(tx, {
        ...member,
        workspace_id: workspaceId,
        role: input.role,
        created_at: now,
      });
      const payload = { memberId: member.id, userId, role: input.role };
      await publish(tx, MemberAdded, { origin, key: member.id, payload, now });
      return member.id;
    });
    return id;
  });
}

export async function setMemberRole(
  db: Db,
  origin: Origin,
  input: { memberId: MemberId; role: Role },
  now: Date,
): Promise<void> {
  const { workspaceId } = origin;
  await withWorkspace(db, workspaceId, async (tx) => {
    const { owners, member } = await lockMember(tx, origin, input.memberId);
    const decision = decideRoleChange(member, input.role, owners);
    switch (decision.outcome) {
      case 'unchanged':
        return;
      case 'refuse_last_owner':
        throw lastOwner();
      case 'change': {
        await setRole(tx, { workspaceId, id: member.id, role: input.role });
        const payload = { memberId: member.id, userId: member.user_id, role: input.role };
        await publish(tx, MemberRoleChanged, { origin, key: member.id, payload, now });
      }
    }
  });
}

/** Ends a membership, and with it every key made in this workspace for the person. */
export async function removeMember(
  db: Db,
  origin: Origin,
  memberId: MemberId,
  now: Date,
): Promise<void> {
  const { workspaceId } = origin;
  await withWorkspace(db, workspaceId, async (tx) => {
    const { owners, member } = await lockMember(tx, origin, memberId);
    if (isLastOwner(member, owners)) throw lastOwner();
    const userId = member.user_id;
    await deleteMember(tx, workspaceId, memberId);
    for (const apiKeyId of await revokeKeysOfUser(tx, { workspaceId, userId }, now)) {
      const payload = { apiKeyId, userId };
      await publish(tx, ApiKeyRevoked, { origin, key: apiKeyId, payload, now });
    }
    await publish(tx, MemberRemoved, {
      origin,
      key: memberId,
      payload: { memberId, userId },
      now,
    });
  });
}

async function lockMember(
  tx: Db,
  { workspaceId }: Origin,
  id: MemberId,
): Promise<{ owners: number; member: Member }> {
  const owners = await lockOwners(tx, workspaceId);
  const member = await findMember(tx, workspaceId, id);
  if (!member) throw noMember(id);
  return { owners, member };
}

const parseMemberId = (id: string): MemberId => MemberId.parse(id);

/** The same answer for an id of another workspace and an id that never was. */
export const noMember = (id: string): Refusal =>
  new Refusal('not_found', `There is no member ${id}`, {
    reason: 'record_not_found',
    field: 'input.memberId',
    fix: 'Read the ids of members with the query members.',
  });

const alreadyMember = (): Refusal =>
  new Refusal('conflict', 'A person with this e-mail is a member already', {
    reason: 'already_member',
    field: 'input.email',
    fix: 'Change the role of the member with setMemberRole.',
  });

const lastOwner = (): Refusal =>
  new Refusal('conflict', 'A workspace keeps at least one owner', {
    reason: 'last_owner',
    field: 'input.memberId',
    fix: 'Make another member an owner first.',
  });
