import {
  type EntitlementName,
  EntitlementChanged,
  type Identity,
  MemberAdded,
  MemberId,
  type UserId,
  WorkspaceCreated,
  WorkspaceId,
} from '@manifold/contracts';
import { createOnce, newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { lockKey, type Origin, publish } from '@manifold/messaging';
import { findCallersKey } from '../keys/commands.ts';
import { findMemberOfUser, insertMember } from '../members/store.ts';
import type { Db, Tx } from '../store.ts';
import { insertWorkspace, listSwitchedOff, setEntitlementRow } from './store.ts';

/**
 * Makes a workspace with the caller as its owner; needs a key that opens all of the caller's. The id is settled in the caller's workspace
 * first, so that a repeat by idempotency key finishes what an earlier try began.
 */
export async function createWorkspace(
  db: Db,
  caller: { origin: Origin; identity: Identity },
  { idempotencyKey, ...input }: { name: string; idempotencyKey?: string | undefined },
  now: Date,
): Promise<WorkspaceId> {
  const { origin, identity } = caller;
  const { workspaceId: here } = origin;
  const key = await findCallersKey(db, identity);
  if (key.reach !== 'user') throw keyOfOneWorkspace();
  const { id, ownerName } = await withWorkspace(db, here, async (tx) => {
    // a workspace belongs to its maker, so each caller has keys of their own
    const ownKey = idempotencyKey && `${identity.userId}|${idempotencyKey}`;
    const call = { operation: 'createWorkspace', key: ownKey, input, now };
    const parseId = (made: string) => WorkspaceId.parse(made);
    const self = await findMemberOfUser(tx, here, identity.userId);
    if (!self) throw notAMember();
    const settled = await createOnce(tx, { workspaceId: here, ...call, parseId }, async () =>
      newId('ws', WorkspaceId),
    );
    return { id: settled.id, ownerName: self.name };
  });
  const owner = { userId: identity.userId, name: ownerName };
  await withWorkspace(db, id, (tx) =>
    foundWorkspace(tx, { ...origin, workspaceId: id }, { name: input.name, owner }, now),
  );
  return id;
}

export interface Founding {
  name: string;
  owner: { userId: UserId; name: string };
}

/** Stores a workspace and its first owner, in the scope of that workspace; a repeat does nothing. */
export async function foundWorkspace(
  tx: Tx,
  origin: Origin,
  { name, owner }: Founding,
  now: Date,
): Promise<void> {
  const { workspaceId } = origin;
  const made = { workspace_id: workspaceId, name, created_at: now };
  if (!(await insertWorkspace(tx, made))) return;
  const memberId = newId('mb', MemberId);
  await insertMember(tx, {
    workspace_id: workspaceId,
    id: memberId,
    user_id: owner.userId,
    name: owner.name,
    role: 'OWNER',
    created_at: now,
  });
  await publish(tx, WorkspaceCreated, { origin, key: workspaceId, payload: { workspaceId }, now });
  const payload = { memberId, userId: owner.userId, role: 'OWNER' as const };
  await publish(tx, MemberAdded, { origin, key: memberId, payload, now });
}

/** Switches a feature on or off; returns the features that are off afterwards. */
export async function setEntitlement(
  db: Db,
  origin: Origin,
  input: { name: EntitlementName; enabled: boolean },
  now: Date,
): Promise<EntitlementName[]> {
  const { workspaceId } = origin;
  return withWorkspace(db, workspaceId, async (tx) => {
    const key = `entitlement|${input.name}`;
    await lockKey(tx, workspaceId, key);
    const off = await listSwitchedOff(tx, workspaceId);
    if (off.includes(input.name) === !input.enabled) return off;
    await setEntitlementRow(tx, { workspace_id: workspaceId, ...input, changed_at: now });
    await publish(tx, EntitlementChanged, { origin, key, payload: input, now });
    return listSwitchedOff(tx, workspaceId);
  });
}

/** Whoever made the key may know it, and would have the run of what is made with it. */
const keyOfOneWorkspace = (): Refusal =>
  new Refusal('precondition', 'This API key opens only the workspace it was made in', {
    reason: 'key_of_one_workspace',
    fix: 'Use a key that goes back to the first key of the installation, or ask its owner to make the workspace and invite you.',
  });

const notAMember = (): Refusal =>
  new Refusal('forbidden', 'The caller is no longer a member of this workspace', {
    reason: 'role_too_low',
    fix: 'Ask an owner of the workspace for an invitation.',
  });
