import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import type { Refusal } from '@manifold/errors';
import { type Grant, revokeGrant } from '@manifold/pipedrive';
import { isCompanyGranted } from '../../accounts/grants/store.ts';
import type { RemovalDeps } from '../../accounts/removal/removal.ts';
import type { OauthState } from '../tables.ts';
import { isPassing } from './rules.ts';
import { setAttempt } from './store.ts';

const REVOKE_TIMEOUT_MS = 8_000;

/** What passes may be tried again, with the same code or what it was traded for; anything else ends it. */
export async function endAttempt(
  deps: RemovalDeps,
  begun: OauthState,
  { refusal, grant }: { refusal: Refusal; grant: Grant | undefined },
): Promise<void> {
  if (!isPassing(refusal.kind)) return giveUp(deps, begun, grant);
  await withWorkspace(deps.db, begun.workspace_id, (tx) =>
    setAttempt(tx, begun, { claimed_until: deps.now() }),
  );
}

/**
 * Ends a consent no connection is made of, and gives back to Pipedrive what it was traded for. While
 * that does not work it is kept: upkeep comes to the same end and gives it back again.
 */
export async function giveUp(
  deps: RemovalDeps,
  begun: OauthState,
  grant: Grant | undefined,
): Promise<void> {
  const now = deps.now();
  const isHeld = grant !== undefined && !(await isGivenBack(deps, begun, grant));
  const ended = { sealed_code: null, sealed_grant: null, finished_at: now };
  const change = isHeld ? { claimed_until: now } : ended;
  // another attempt may have traded the code this one was refused for
  const unlessTraded = grant === undefined;
  await withWorkspace(deps.db, begun.workspace_id, (tx) =>
    setAttempt(tx, begun, change, { unlessTraded }),
  );
}

/**
 * Whose grant it is was not to be learned. Where its company has another with the same app it may be
 * the same user's, and revoking the refresh token would end that too: the access token goes alone.
 */
async function isGivenBack(
  { db, apps, log }: RemovalDeps,
  { id, app_name }: OauthState,
  grant: Grant,
): Promise<boolean> {
  const app = apps.find(({ name }) => name === app_name);
  if (app === undefined) return true;
  const { clientId } = app;
  const isShared = await acrossWorkspaces(db, (tx) =>
    isCompanyGranted(tx, { clientId, apiDomain: grant.apiDomain }),
  );
  const revoked = await revokeGrant(
    { ...app, timeoutMs: REVOKE_TIMEOUT_MS },
    isShared
      ? { token: grant.accessToken, hint: 'access_token' }
      : { token: grant.refreshToken, hint: 'refresh_token' },
  );
  if (revoked.outcome === 'ok') return true;
  log.warn({ consent: id, outcome: revoked.outcome }, 'grant not given back');
  return false;
}
