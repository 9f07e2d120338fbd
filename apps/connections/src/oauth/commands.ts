import { acrossWorkspaces } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { exchangeCode, type Grant, parseApiDomain } from '@manifold/pipedrive';
import { rejectGrant } from '../accounts/commands.ts';
import { finishConnecting, identify, recordConnecting } from '../accounts/connecting.ts';
import { type Kept, storeConnection } from '../accounts/granting.ts';
import { keepGrant, releaseGrant } from '../accounts/grants/commands.ts';
import { type GrantHolder, lockGrantOf, postponeRefresh } from '../accounts/grants/store.ts';
import { refusalOf, unreachable } from '../accounts/rules.ts';
import type { Connection } from '../accounts/tables.ts';
import { type RegisteredApp, requireApp } from './apps.ts';
import type { OauthDeps } from './beginning.ts';
import type { OauthState } from './tables.ts';

/** Trades the code for a grant, keeps it, and sets the connection up. */
export async function completeConnection(
  deps: OauthDeps,
  begun: OauthState,
  code: string,
): Promise<Connection> {
  const app = requireApp(deps.apps, begun.app_name);
  const traded = await tradeCode(deps, app, code);
  const { answer, calls } = await identify(deps, {
    apiDomain: traded.apiDomain,
    authorization: { kind: 'bearer', token: traded.grant.accessToken },
  });
  if (answer.outcome !== 'ok') throw refusalOf(answer);
  const { connection, formerGrantId } = await keepBoth(deps, begun, {
    ...traded,
    app,
    me: answer.data,
  });
  if (formerGrantId !== null) await releaseGrant(deps, formerGrantId);
  await recordConnecting(deps, connection, calls);
  return finishConnecting(deps, connection);
}

/** Keeps the grant and the connection that uses it; a grant no connection uses is given back. */
async function keepBoth(
  deps: OauthDeps,
  begun: OauthState,
  granted: Parameters<typeof keepGrant>[1],
): Promise<Kept> {
  const { app, me, apiDomain } = granted;
  const options = { vault: deps.vault, now: deps.now() };
  const { grantId, kept } = await acrossWorkspaces(deps.db, async (tx) => {
    const grant = await keepGrant(tx, granted, options);
    const made = {
      workspaceId: begun.workspace_id,
      userId: begun.user_id,
      byAdmin: begun.by_admin,
      kind: begun.kind,
      credential: { method: 'OAUTH', grant, app } as const,
      me,
      apiDomain,
      acceptsLimitedVisibility: begun.accepts_limited_visibility,
      termsVersion: begun.terms_version,
      correlationId: begun.correlation_id,
    };
    return { grantId: grant.id, kept: await storeConnection(tx, made, options) };
  });
  if (!(kept instanceof Refusal)) return kept;
  await releaseGrant(deps, grantId);
  throw kept;
}

async function tradeCode(
  deps: OauthDeps,
  app: RegisteredApp,
  code: string,
): Promise<{ grant: Grant; apiDomain: string }> {
  const traded = await exchangeCode(app, { code, redirectUri: app.redirectUrl });
  switch (traded.outcome) {
    case 'ok': {
      const apiDomain = parseApiDomain(traded.grant.apiDomain, deps.allowedApiDomains);
      if (apiDomain !== undefined) return { grant: traded.grant, apiDomain };
      throw new Refusal('precondition', 'The grant names an API address that is not Pipedrive’s', {
        reason: 'pipedrive_refused',
        fix: 'For a local Pipedrive, name its origin in PIPEDRIVE_API_DOMAINS.',
      });
    }
    case 'invalid_grant':
      throw new Refusal('invalid', 'Pipedrive does not accept the code it sent you back with', {
        reason: 'oauth_code_invalid',
        fix: 'Begin again in Manifold.',
      });
    case 'invalid_client':
      deps.log.error({ app: app.name }, 'Pipedrive does not accept the id, secret or redirect URL');
      throw new Refusal('precondition', 'Pipedrive does not accept the registered app', {
        reason: 'pipedrive_refused',
        fix: `Correct the id, secret and redirect URL of the app ${app.name}: PIPEDRIVE_CLIENT_ID and its like, or PIPEDRIVE_APPS.`,
      });
    case 'unavailable':
      throw unreachable(traded.cause);
  }
}

/** The user removed the app in Pipedrive: every connection of the grant stops, in every workspace. */
export async function forgetGrant(
  deps: OauthDeps,
  holder: GrantHolder,
  removedAt: Date | undefined,
): Promise<void> {
  await acrossWorkspaces(deps.db, async (tx) => {
    const grant = await lockGrantOf(tx, holder);
    if (grant === undefined) return;
    if (removedAt !== undefined && removedAt < grant.renewed_at) {
      // from before its user connected again; should clocks differ, asking for a token tells
      await postponeRefresh(tx, grant, deps.now());
      return;
    }
    const { id, token_version: version } = grant;
    await rejectGrant(tx, { id, version, reason: 'app_removed', now: deps.now() });
  });
}
