import { acrossWorkspaces } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type GrantOutcome, parseApiDomain, refreshGrant } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import { type RegisteredApp, appOf } from '../../oauth/apps.ts';
import type { Db, Tx } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { rejectGrant } from '../commands.ts';
import { grantColumns, openToken } from './credential.ts';
import { isAlive, isFresh, saysMore, tryAgainAt } from '../grants/rules.ts';
import {
  findGrant,
  lockRefresh,
  postponeRefresh,
  setConnectionsOfGrant,
  setGrant,
} from '../grants/store.ts';
import { unreachable } from '../rules.ts';
import type { StoredGrant } from '../tables.ts';

/** Below the 15 s after which Postgres ends a transaction that does nothing. */
const REFRESH_TIMEOUT_MS = 8_000;

export interface TokenDeps {
  db: Db;
  vault: Vault;
  /** Apps registered at Pipedrive; none where connections are made by API token only. */
  apps: readonly RegisteredApp[];
  allowedApiDomains: readonly string[];
  now: () => Date;
  log: Logger;
}

type Refreshed =
  | { outcome: 'ok'; grant: StoredGrant }
  /** The grant is gone; every connection of it was marked in the same transaction. */
  | { outcome: 'rejected' }
  | Exclude<GrantOutcome, { outcome: 'ok' | 'invalid_grant' }>;

/**
 * Renews a grant, one caller over all replicas: whoever comes second finds the first one's token.
 * `rejectedVersion` is a token Pipedrive turned away, which must be replaced whatever its age.
 * Undefined when the grant is gone.
 */
export async function refreshUnderLock(
  deps: TokenDeps,
  wanted: { grantId: string; rejectedVersion: number | undefined },
): Promise<StoredGrant | undefined> {
  const { grantId, rejectedVersion } = wanted;
  let got: { grant: StoredGrant; answer: GrantOutcome } | undefined;
  const refreshed = await acrossWorkspaces(deps.db, async (tx): Promise<Refreshed> => {
    await waitForTurn(tx, grantId);
    const grant = await findGrant(tx, grantId);
    if (grant === undefined || grant.refresh_token === null) return { outcome: 'rejected' };
    const isReplaceable = grant.token_version !== rejectedVersion;
    const isUsable = isReplaceable && grant.access_token !== null;
    if (isUsable && isFresh(grant, deps.now())) return { outcome: 'ok', grant };
    const answer = await askForGrant(deps, grant);
    // tried early, so the token we have still works
    const canWait = answer.outcome === 'unavailable' && isUsable;
    if (canWait && isAlive(grant, deps.now())) {
      await postponeRefresh(tx, grant, tryAgainAt(grant, deps.now()));
      return { outcome: 'ok', grant };
    }
    got = { grant, answer };
    return keepAnswer(deps, tx, got);
  }).catch((error: unknown) => {
    if (got?.answer.outcome !== 'ok') throw error;
    return keepLate(deps, got);
  });
  return grantFrom(deps, refreshed);
}

/** Pipedrive may have ended the token before: the new one is all there is, and must not be lost. */
function keepLate(
  deps: TokenDeps,
  got: { grant: StoredGrant; answer: GrantOutcome },
): Promise<Refreshed> {
  const { log, db } = deps;
  log.warn({ grant: got.grant.id }, 'a new token was not stored; storing it again');
  return acrossWorkspaces(db, (tx) => keepAnswer(deps, tx, got));
}

/** Waiting ends with the statement; whoever waited is told to try again. */
async function waitForTurn(tx: Tx, grantId: string): Promise<void> {
  await lockRefresh(tx, grantId).catch((error: unknown) => {
    if (hasCode(error, QUERY_CANCELED)) throw unreachable('token_being_renewed');
    throw error;
  });
}

const QUERY_CANCELED = '57014';
const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

function askForGrant({ apps, vault }: TokenDeps, grant: StoredGrant): Promise<GrantOutcome> {
  const app = appOf(apps, grant.client_id);
  if (app === undefined) return Promise.resolve({ outcome: 'invalid_client' });
  const refreshToken = openToken(vault, grant, 'refresh_token');
  if (refreshToken === undefined) return Promise.resolve({ outcome: 'invalid_grant' });
  return refreshGrant({ ...app, timeoutMs: REFRESH_TIMEOUT_MS }, { refreshToken });
}

async function keepAnswer(
  deps: TokenDeps,
  tx: Tx,
  { grant, answer }: { grant: StoredGrant; answer: GrantOutcome },
): Promise<Refreshed> {
  const { id, token_version: version } = grant;
  switch (answer.outcome) {
    case 'ok': {
      const origin = parseApiDomain(answer.grant.apiDomain, deps.allowedApiDomains);
      const columns = grantColumns(deps.vault, grant, { grant: answer.grant, now: deps.now() });
      const change = { ...columns, api_domain: origin ?? grant.api_domain };
      const renewed = await setGrant(tx, { id, version }, change);
      if (renewed === undefined) return readAgain(tx, id);
      if (saysMore(grant, renewed)) await setConnectionsOfGrant(tx, id, renewed);
      return { outcome: 'ok', grant: renewed };
    }
    case 'invalid_grant':
      // its user may have connected again while we asked
      if (await rejectGrant(tx, { id, version, reason: 'token_rejected', now: deps.now() }))
        return { outcome: 'rejected' };
      return readAgain(tx, id);
    case 'invalid_client':
    case 'unavailable':
      return answer;
  }
}

/** What came in meanwhile counts: a new grant by its user, or none any more. */
async function readAgain(tx: Tx, id: string): Promise<Refreshed> {
  const grant = await findGrant(tx, id);
  return grant === undefined || grant.access_token === null
    ? { outcome: 'rejected' }
    : { outcome: 'ok', grant };
}

function grantFrom({ log }: TokenDeps, refreshed: Refreshed): StoredGrant | undefined {
  switch (refreshed.outcome) {
    case 'ok':
      return refreshed.grant;
    case 'rejected':
      return undefined;
    case 'unavailable':
      throw unreachable(refreshed.cause);
    case 'invalid_client':
      // no tenant is at fault, so none is marked
      log.error('Pipedrive does not accept the client id or secret of a registered app');
      throw new Refusal('unavailable', 'Pipedrive does not accept the registered app', {
        reason: 'pipedrive_refused',
        fix: 'Correct PIPEDRIVE_CLIENT_ID and PIPEDRIVE_CLIENT_SECRET, or PIPEDRIVE_APPS, of the connections service.',
      });
  }
}
