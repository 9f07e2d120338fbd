import {
  ApiKeyCreated,
  ApiKeyId,
  ApiKeyRevoked,
  entitlementNames,
  type Identity,
  type MemberId,
  type UserId,
  type WorkspaceId,
} from '@manifold/contracts';
import { acrossWorkspaces, createOnce, newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Origin, publish } from '@manifold/messaging';
import {
  findKeyByHash,
  findKeyOfUser,
  listStandings,
  setLastUsed,
  type Standing,
} from '../directory/store.ts';
import { noMember } from '../members/commands.ts';
import { findMember } from '../members/store.ts';
import type { ApiKey, Db, Tx } from '../store.ts';
import { listSwitchedOff } from '../workspaces/store.ts';
import { opens, reachOfNewKey } from './rules.ts';
import { createSecret, hashOf, prefixOf } from './secret.ts';
import { insertApiKey, listApiKeysByIds, revokeKey } from './store.ts';

/** Who holds this key, in which workspace, with which rights. */
export async function authenticate(
  db: Db,
  question: { keyHash: string; chosenWorkspaceId?: WorkspaceId | undefined },
  now: Date,
): Promise<Identity> {
  return acrossWorkspaces(db, async (tx) => {
    const key = await findKeyByHash(tx, question.keyHash);
    if (!key) throw unknownKey();
    if (key.revoked_at) throw revokedKey();
    const workspaceId = question.chosenWorkspaceId ?? key.workspace_id;
    const [standing] = await listReachable(tx, key, workspaceId);
    if (!standing) throw noSuchWorkspace();
    await setLastUsed(tx, { id: key.id, workspaceId: key.workspace_id }, now);
    const off = await listSwitchedOff(tx, workspaceId);
    return {
      workspaceId,
      userId: key.user_id,
      role: standing.role,
      apiKeyId: key.id,
      entitlements: entitlementNames.filter((name) => !off.includes(name)),
    };
  });
}

/** The workspaces the caller's key opens. */
export async function listWorkspacesOf(db: Db, identity: Identity): Promise<Standing[]> {
  return acrossWorkspaces(db, async (tx) => {
    const key = await findKeyOfUser(tx, { id: identity.apiKeyId, userId: identity.userId });
    return key ? listReachable(tx, key) : [];
  });
}

async function listReachable(tx: Db, key: ApiKey, only?: WorkspaceId): Promise<Standing[]> {
  const standings = await listStandings(tx, {
    userId: key.user_id,
    ...(only ? { workspaceId: only } : {}),
  });
  return standings.filter((standing) => opens(key, standing.workspace_id));
}

/** The key the caller uses, as long as it is good. */
export async function findCallersKey(db: Db, identity: Identity): Promise<ApiKey> {
  const { apiKeyId: id, userId } = identity;
  const key = await acrossWorkspaces(db, (tx) => findKeyOfUser(tx, { id, userId }));
  if (!key || key.revoked_at) throw revokedKey();
  return key;
}

export interface KeyRequest {
  name: string;
  /** Absent: for the caller. */
  memberId?: MemberId | undefined;
  idempotencyKey?: string | undefined;
}

/** Makes a key. Its text is returned this once; a repeat by idempotency key returns only its id. */
export async function createApiKey(
  db: Db,
  caller: { origin: Origin; identity: Identity },
  { idempotencyKey, ...input }: KeyRequest,
  now: Date,
): Promise<{ id: ApiKeyId; secret: string | null }> {
  const { origin, identity } = caller;
  const { workspaceId } = origin;
  const callersKey = await findCallersKey(db, identity);
  const secret = createSecret();
  return withWorkspace(db, workspaceId, async (tx) => {
    const call = { workspaceId, operation: 'createApiKey', key: idempotencyKey, input, now };
    const parseId = (id: string) => ApiKeyId.parse(id);
    const { id, repeated } = await createOnce(tx, { ...call, parseId }, async () => {
      const userId = await userOf(tx, identity, input.memberId);
      const reach = reachOfNewKey(callersKey, userId);
      const made = { name: input.name, user_id: userId, created_by: identity.userId, reach };
      return insertKey(tx, origin, { ...made, secret }, now);
    });
    return { id, secret: repeated ? null : secret };
  });
}

async function userOf(tx: Db, identity: Identity, memberId?: MemberId): Promise<UserId> {
  if (memberId === undefined) return identity.userId;
  const member = await findMember(tx, identity.workspaceId, memberId);
  if (!member) throw noMember(memberId);
  return member.user_id;
}

/** Stores a key by its hash and says so. */
export async function insertKey(
  tx: Tx,
  origin: Origin,
  key: Pick<ApiKey, 'name' | 'user_id' | 'created_by' | 'reach'> & { secret: string },
  now: Date,
): Promise<ApiKeyId> {
  const { secret, ...made } = key;
  const id = newId('ak', ApiKeyId);
  await insertApiKey(tx, {
    ...made,
    id,
    workspace_id: origin.workspaceId,
    key_hash: hashOf(secret),
    prefix: prefixOf(secret),
    created_at: now,
  });
  const payload = { apiKeyId: id, userId: made.user_id };
  await publish(tx, ApiKeyCreated, { origin, key: id, payload, now });
  return id;
}

/** Ends a key at once; ending it again changes nothing. */
export async function revokeApiKey(db: Db, origin: Origin, id: ApiKeyId, now: Date): Promise<void> {
  const { workspaceId } = origin;
  await withWorkspace(db, workspaceId, async (tx) => {
    const revoked = await revokeKey(tx, { workspaceId, id }, now);
    if (revoked) {
      const payload = { apiKeyId: id, userId: revoked.user_id };
      return publish(tx, ApiKeyRevoked, { origin, key: id, payload, now });
    }
    const [ended] = await listApiKeysByIds(tx, workspaceId, [id]);
    if (!ended) throw noKey(id);
  });
}

const unknownKey = (): Refusal =>
  new Refusal('unauthenticated', 'This API key is not known or was revoked', {
    reason: 'not_signed_in',
    fix: 'Send a valid API key as `Authorization: Bearer <key>`; an owner of the workspace can make one.',
  });

const revokedKey = (): Refusal =>
  new Refusal('unauthenticated', 'This API key has been revoked', {
    reason: 'key_revoked',
    fix: 'Ask an owner of the workspace for a new key.',
  });

/** The same answer for a workspace of others and one that never was. */
const noSuchWorkspace = (): Refusal =>
  new Refusal('unauthenticated', 'This key does not open the chosen workspace', {
    reason: 'workspace_not_chosen',
    fix: 'Leave the header x-workspace out, or send the id of one of viewer.workspaces.',
  });

/** The same answer for an id of another workspace and an id that never was. */
export const noKey = (id: string): Refusal =>
  new Refusal('not_found', `There is no API key ${id}`, {
    reason: 'record_not_found',
    field: 'input.apiKeyId',
    fix: 'Read the ids of keys with the query apiKeys.',
  });
