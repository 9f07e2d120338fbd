import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { parseApiDomain } from '@manifold/pipedrive';
import { type Credential, openApiToken, openGrant } from './credential.ts';
import { rejectApiToken, suspectGrant } from '../commands.ts';
import { createGate } from '../calling/gate.ts';
import { isFresh } from '../grants/rules.ts';
import { findGrant } from '../grants/store.ts';
import { refreshUnderLock, type TokenDeps } from './refresh.ts';
import { refuseAccess, requireUsable, unreachable } from '../rules.ts';
import { findConnection } from '../store.ts';
import type { Connection, StoredGrant } from '../tables.ts';

/** Each holds a connection of the pool while Pipedrive answers; most of the pool is for others. */
const MOST_REFRESHES = 4;

/** What a credential is made of, as it is stored. */
export interface Readable {
  connection: Connection;
  /** Absent: of an API token, or gone. */
  grant: StoredGrant | undefined;
}

/** Hands out credentials that work, renewing them as they age; safe with any number of replicas. */
export interface Tokens {
  credentialOf(workspaceId: WorkspaceId, id: ConnectionId): Promise<Credential>;
  /** The same for one who has just read what it is made of. */
  credentialFrom(read: Readable): Promise<Credential>;
  /** A newer credential than the one Pipedrive turned away; throws the refusal when there is none. */
  replace(rejected: Credential): Promise<Credential>;
  /** Pipedrive turned away the newest there is: whoever uses it says so, once. Returns the refusal. */
  giveUp(rejected: Credential): Promise<Refusal>;
}

export function createTokens(deps: TokenDeps): Tokens {
  const { db, vault, now } = deps;
  const refresh = createRefresh(deps);
  const read = shareReads(deps);

  const renew = async (connection: Connection, grantId: string, rejectedVersion?: number) => {
    const grant = await refresh(grantId, rejectedVersion);
    if (grant === undefined) throw refuseBroken(connection);
    return openGrant(vault, connection, grant);
  };

  const giveUp = async ({ connection, version }: Credential): Promise<Refusal> => {
    const rejected = { version, reason: 'token_rejected', now: now() } as const;
    const { grant_id: id } = connection;
    if (id === null) {
      await withWorkspace(db, connection.workspace_id, (tx) =>
        rejectApiToken(tx, { ...rejected, id: connection.id }),
      );
    } else await acrossWorkspaces(db, (tx) => suspectGrant(tx, { ...rejected, id }));
    return refuseBroken(connection);
  };

  /** Pipedrive says with each token where its company is now. */
  const refind = async (stale: Connection, version?: number): Promise<Credential> => {
    if (stale.grant_id !== null) await refresh(stale.grant_id, version);
    const { connection, grant } = await readUsable(deps, stale.workspace_id, stale.id);
    if (!isCallable(deps, connection) || !grant) throw refuseAddress(connection);
    return openGrant(vault, connection, grant);
  };

  const credentialFrom = async ({ connection, grant }: Readable): Promise<Credential> => {
    requireUsable(connection, connection.id);
    if (!isCallable(deps, connection)) return refind(connection, grant?.token_version);
    if (connection.grant_id === null) return openApiToken(vault, connection);
    return grant && grant.access_token !== null && isFresh(grant, now())
      ? openGrant(vault, connection, grant)
      : renew(connection, connection.grant_id);
  };

  return {
    credentialFrom,
    credentialOf: async (workspaceId, id) => credentialFrom(await read(workspaceId, id)),
    async replace(rejected) {
      const { connection, version } = rejected;
      if (connection.grant_id === null) throw await giveUp(rejected);
      const newer = await renew(connection, connection.grant_id, version);
      // another caller's refresh ended without a new token
      if (newer.version === version) throw unreachable('token_not_renewed');
      return newer;
    },
    giveUp,
  };
}

const readUsable = ({ db }: TokenDeps, workspaceId: WorkspaceId, id: ConnectionId) =>
  withWorkspace(db, workspaceId, async (tx) => {
    const connection = requireUsable(await findConnection(tx, id), id);
    const { grant_id: grantId } = connection;
    const grant = grantId === null ? undefined : await findGrant(tx, grantId);
    return { connection, grant };
  });

/** Those who ask while it is being read anyway get the same answer. */
function shareReads(deps: TokenDeps) {
  const running = new Map<string, ReturnType<typeof readUsable>>();
  return (workspaceId: WorkspaceId, id: ConnectionId) => {
    const key = `${workspaceId}|${id}`;
    const shared =
      running.get(key) ?? readUsable(deps, workspaceId, id).finally(() => running.delete(key));
    running.set(key, shared);
    return shared;
  };
}

const isCallable = ({ allowedApiDomains }: TokenDeps, { api_domain }: Connection): boolean =>
  parseApiDomain(api_domain, allowedApiDomains) !== undefined;

const refuseAddress = ({ id, api_domain }: Connection): Refusal =>
  new Refusal(
    'unavailable',
    `The connection ${id} leads to ${api_domain}, which is not Pipedrive`,
    {
      reason: 'pipedrive_unreachable',
      fix: 'Connect the same user again, or name this origin in PIPEDRIVE_API_DOMAINS.',
    },
  );

const refuseBroken = (connection: Connection): Refusal =>
  refuseAccess(
    { ...connection, status: 'NEEDS_REAUTH', status_reason: 'token_rejected' },
    'connection_needs_reauth',
  );

/** One refresh of a grant at a time in this process; the lock does the same over all of them. */
function createRefresh(deps: TokenDeps) {
  const running = new Map<string, Promise<StoredGrant | undefined>>();
  const inTurn = createGate(MOST_REFRESHES);
  return (grantId: string, rejectedVersion?: number) => {
    const earlier = running.get(grantId);
    if (earlier !== undefined) return earlier;
    const started = inTurn(() => refreshUnderLock(deps, { grantId, rejectedVersion }));
    running.set(grantId, started);
    const forget = () => void running.delete(grantId);
    void started.then(forget, forget);
    return started;
  };
}
