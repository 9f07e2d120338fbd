import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  type GrantOutcome,
  type OauthApp,
  parseApiDomain,
  refreshGrant,
} from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { Db, Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { rejectGrant } from './commands.ts';
import { type Credential, grantColumns, openCredential, openSecret } from './credential.ts';
import { isAlive, isFresh, refuseAccess, requireUsable, unreachable } from './rules.ts';
import { lockRefresh, setRenewedGrant } from './grants/store.ts';
import { findConnection } from './store.ts';
import type { Connection } from './tables.ts';

/** Below the 15 s after which Postgres ends a transaction that does nothing. */
const REFRESH_TIMEOUT_MS = 8_000;

export interface TokenDeps {
  db: Db;
  vault: Vault;
  /** Absent when no app is registered: connections by API token only. */
  oauth: OauthApp | undefined;
  allowedApiDomains: readonly string[];
  now: () => Date;
  log: Logger;
}

type Refreshed =
  | { outcome: 'ok'; connection: Connection }
  /** The grant is gone; the status was written in the same transaction. */
  | { outcome: 'rejected'; connection: Connection }
  | Exclude<GrantOutcome, { outcome: 'ok' | 'invalid_grant' }>;

/**
 * Renews a grant, one caller over all replicas: whoever comes second finds the first one's token.
 * `rejectedVersion` is a token Pipedrive turned away, which must be replaced whatever its age.
 */
export async function refreshUnderLock(
  deps: TokenDeps,
  wanted: { workspaceId: WorkspaceId; id: ConnectionId; rejectedVersion: number | undefined },
): Promise<Credential> {
  const { workspaceId, id, rejectedVersion } = wanted;
  const refreshed = await withWorkspace(deps.db, workspaceId, async (tx): Promise<Refreshed> => {
    await lockRefresh(tx, id);
    const connection = requireUsable(await findConnection(tx, id), id);
    const isReplaceable = connection.token_version !== rejectedVersion;
    if (isReplaceable && isFresh(connection, deps.now())) return { outcome: 'ok', connection };
    const answer = await askForGrant(deps, connection);
    // tried early, so the token we have still works
    const canWait = answer.outcome === 'unavailable' && isReplaceable;
    if (canWait && isAlive(connection, deps.now())) return { outcome: 'ok', connection };
    return keepAnswer(deps, tx, { connection, answer });
  });
  return credentialFrom(deps, refreshed);
}

function askForGrant({ oauth, vault }: TokenDeps, connection: Connection): Promise<GrantOutcome> {
  if (oauth === undefined) return Promise.resolve({ outcome: 'invalid_client' });
  const refreshToken = openSecret(vault, connection, 'refresh_token');
  if (refreshToken === undefined) return Promise.resolve({ outcome: 'invalid_grant' });
  return refreshGrant({ ...oauth, timeoutMs: REFRESH_TIMEOUT_MS }, { refreshToken });
}

async function keepAnswer(
  deps: TokenDeps,
  tx: Tx,
  { connection, answer }: { connection: Connection; answer: GrantOutcome },
): Promise<Refreshed> {
  const now = deps.now();
  switch (answer.outcome) {
    case 'ok': {
      const origin = parseApiDomain(answer.grant.apiDomain, deps.allowedApiDomains);
      const { id, token_version: version } = connection;
      const renewed = await setRenewedGrant(
        tx,
        { id, version },
        {
          ...grantColumns(deps.vault, connection, { grant: answer.grant, now }),
          api_domain: origin ?? connection.api_domain,
          updated_at: now,
        },
      );
      // what came in meanwhile counts: a new grant by its user, or none any more
      return {
        outcome: 'ok',
        connection: renewed ?? requireUsable(await findConnection(tx, id), id),
      };
    }
    case 'invalid_grant':
      await rejectGrant(tx, { connection, version: connection.token_version, now });
      return { outcome: 'rejected', connection: { ...connection, status: 'NEEDS_REAUTH' } };
    case 'invalid_client':
    case 'unavailable':
      return answer;
  }
}

function credentialFrom({ vault, log }: TokenDeps, refreshed: Refreshed): Credential {
  switch (refreshed.outcome) {
    case 'ok':
      return openCredential(vault, refreshed.connection);
    case 'rejected':
      throw refuseAccess(refreshed.connection, 'connection_needs_reauth');
    case 'unavailable':
      throw unreachable(refreshed.cause);
    case 'invalid_client':
      // no tenant is at fault, so none is marked
      log.error('Pipedrive does not accept the client id or secret of the registered app');
      throw new Refusal('unavailable', 'Pipedrive does not accept the registered app', {
        reason: 'pipedrive_refused',
        fix: 'Correct PIPEDRIVE_CLIENT_ID and PIPEDRIVE_CLIENT_SECRET of the connections service.',
      });
  }
}
