import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Refusal } from '@manifold/errors';
import { type Credential, openCredential } from './credential.ts';
import { rejectGrant } from './commands.ts';
import { createGate } from './gate.ts';
import { refreshUnderLock, type TokenDeps } from './refresh.ts';
import { isFresh, refuseAccess, requireUsable, unreachable } from './rules.ts';
import { findConnection } from './store.ts';

/** Each holds a connection of the pool while Pipedrive answers; most of the pool is for others. */
const MOST_REFRESHES = 4;

/** Hands out credentials that work, renewing them as they age; safe with any number of replicas. */
export interface Tokens {
  credentialOf(workspaceId: WorkspaceId, id: ConnectionId): Promise<Credential>;
  /** A newer credential than the one Pipedrive turned away; throws the refusal when there is none. */
  replace(rejected: Credential): Promise<Credential>;
  /** Pipedrive turned away the newest there is: the connection says so, once. Returns the refusal. */
  giveUp(rejected: Credential): Promise<Refusal>;
}

export function createTokens(deps: TokenDeps): Tokens {
  const { db, vault, now } = deps;
  const running = new Map<string, Promise<Credential>>();
  const inTurn = createGate(MOST_REFRESHES);

  /** One refresh at a time in this process; the lock does the same over all of them. */
  const refresh = (workspaceId: WorkspaceId, id: ConnectionId, rejectedVersion?: number) => {
    const earlier = running.get(id);
    if (earlier !== undefined) return earlier;
    const started = inTurn(() => refreshUnderLock(deps, { workspaceId, id, rejectedVersion }));
    running.set(id, started);
    const forget = () => void running.delete(id);
    void started.then(forget, forget);
    return started;
  };

  const giveUp = async ({ connection, version }: Credential): Promise<Refusal> => {
    await withWorkspace(db, connection.workspace_id, (tx) =>
      rejectGrant(tx, { connection, version, now: now() }),
    );
    return refuseAccess({ ...connection, status: 'NEEDS_REAUTH' }, 'connection_needs_reauth');
  };

  return {
    async credentialOf(workspaceId, id) {
      const found = await withWorkspace(db, workspaceId, (tx) => findConnection(tx, id));
      const connection = requireUsable(found, id);
      return isFresh(connection, now())
        ? openCredential(vault, connection)
        : refresh(workspaceId, id);
    },
    async replace(rejected) {
      const { connection, version } = rejected;
      if (connection.method === 'API_TOKEN') throw await giveUp(rejected);
      const newer = await refresh(connection.workspace_id, connection.id, version);
      // another caller's refresh ended without a new token
      if (newer.version === version) throw unreachable('token_not_renewed');
      return newer;
    },
    giveUp,
  };
}
