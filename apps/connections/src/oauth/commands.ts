import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { exchangeCode, type Grant, parseApiDomain } from '@manifold/pipedrive';
import { dropGrant } from '../accounts/commands.ts';
import { identify, recordConnecting } from '../accounts/connecting.ts';
import { grantColumns } from '../accounts/credential.ts';
import { keepGrant } from '../accounts/granting.ts';
import { refusalOf, unreachable } from '../accounts/rules.ts';
import { setUpConnection } from '../accounts/setup.ts';
import { listConnectionsOfGrant } from '../accounts/grants/store.ts';
import type { Connection } from '../accounts/tables.ts';
import { type OauthDeps, requireApp } from './beginning.ts';
import type { OauthState } from './tables.ts';

/** Trades the code for a grant, keeps it, and sets the connection up. */
export async function completeConnection(
  deps: OauthDeps,
  begun: OauthState,
  code: string,
): Promise<Connection> {
  const { grant, apiDomain } = await tradeCode(deps, code);
  const { answer, calls } = await identify(deps, {
    apiDomain,
    authorization: { kind: 'bearer', token: grant.accessToken },
  });
  if (answer.outcome !== 'ok') throw refusalOf(answer);
  const now = deps.now();
  const connection = await withWorkspace(deps.db, begun.workspace_id, (tx) =>
    keepGrant(
      tx,
      {
        workspaceId: begun.workspace_id,
        userId: begun.user_id,
        kind: begun.kind,
        method: 'OAUTH',
        me: answer.data,
        apiDomain,
        correlationId: begun.correlation_id,
        seal: (named) => grantColumns(deps.vault, named, { grant, now }),
      },
      { vault: deps.vault, now },
    ),
  );
  await recordConnecting(deps, connection, calls);
  return (await setUpConnection(deps, begun.workspace_id, connection.id)) ?? connection;
}

async function tradeCode(
  deps: OauthDeps,
  code: string,
): Promise<{ grant: Grant; apiDomain: string }> {
  const app = requireApp(deps);
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
      deps.log.error('Pipedrive does not accept the client id, secret or redirect URL');
      throw new Refusal('precondition', 'Pipedrive does not accept the registered app', {
        reason: 'pipedrive_refused',
        fix: 'Correct PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET and PIPEDRIVE_REDIRECT_URL.',
      });
    case 'unavailable':
      throw unreachable(traded.cause);
  }
}

/** The user removed the app in Pipedrive: every connection of the grant stops, in every workspace. */
export async function forgetGrant(
  deps: OauthDeps,
  grant: { companyId: string; pipedriveUserId: string },
): Promise<void> {
  const held = await acrossWorkspaces(deps.db, (tx) => listConnectionsOfGrant(tx, grant));
  for (const { workspace_id: workspaceId, id, correlation_id: correlationId } of held) {
    const actor = { kind: 'pipedrive' as const, id: grant.pipedriveUserId };
    const asker = { workspaceId, actor, correlationId };
    await withWorkspace(deps.db, workspaceId, (tx) =>
      dropGrant(tx, id, { asker, now: deps.now() }),
    );
  }
}
