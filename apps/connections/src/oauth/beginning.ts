import { randomBytes } from 'node:crypto';
import type { UserId } from '@manifold/contracts';
import { acrossWorkspaces, createOnce, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import { authorizeUrl, type OauthApp } from '@manifold/pipedrive';
import type { ConnectingDeps } from '../accounts/connecting.ts';
import type { Connection } from '../accounts/tables.ts';
import { isSameSecret } from '../vault/compare.ts';
import { isReturnUrlAllowed, STATE_LIVES_MS } from './rules.ts';
import { findState, insertState, takeState } from './store.ts';
import type { OauthState } from './tables.ts';

/** An app registered at Pipedrive, and the one address it may send browsers back to. */
export type RegisteredApp = OauthApp & { redirectUrl: string };

export interface OauthDeps extends ConnectingDeps {
  oauth: RegisteredApp | undefined;
  /** Addresses below which a browser may be sent after connecting. */
  returnUrls: readonly string[];
}

export interface BeginInput {
  kind: Connection['kind'];
  returnUrl?: string | undefined;
  idempotencyKey?: string | undefined;
}

/** Where to send the browser, and until when it may come back. */
export async function beginConnection(
  deps: OauthDeps,
  input: BeginInput,
  asker: Origin & { userId: UserId },
): Promise<{ authorizationUrl: string; expiresAt: Date }> {
  const app = requireApp(deps);
  requireReturnUrl(deps, input.returnUrl);
  const { workspaceId } = asker;
  const begun = await withWorkspace(deps.db, workspaceId, async (tx) => {
    const { id: seed } = await createOnce(
      tx,
      {
        workspaceId,
        operation: 'beginConnection',
        key: input.idempotencyKey,
        input,
        now: deps.now(),
        parseId: (text) => text,
      },
      async () => {
        const fresh = randomBytes(24).toString('base64url');
        await insertState(tx, {
          workspace_id: workspaceId,
          state_hash: hashOf(deps, stateOf(deps, fresh)),
          user_id: asker.userId,
          kind: input.kind,
          return_url: input.returnUrl ?? null,
          correlation_id: asker.correlationId,
          expires_at: new Date(deps.now().getTime() + STATE_LIVES_MS),
          used_at: null,
          created_at: deps.now(),
        });
        return fresh;
      },
    );
    const state = stateOf(deps, seed);
    return { state, stored: await findState(tx, hashOf(deps, state)) };
  });
  return {
    authorizationUrl: authorizeUrl({
      clientId: app.clientId,
      redirectUri: app.redirectUrl,
      state: begun.state,
      oauthUrl: app.oauthUrl,
    }),
    // a repeat long after: the state is gone, and was of no use any more
    expiresAt: begun.stored?.expires_at ?? deps.now(),
  };
}

/** Random, and signed: a guess is turned away without asking the database. */
const stateOf = ({ vault }: OauthDeps, seed: string): string =>
  `${seed}.${vault.keyedHash('oauth-state-signature', seed)}`;

const hashOf = ({ vault }: OauthDeps, state: string): string =>
  vault.keyedHash('oauth-state', state);

/** Uses a state up and returns what was begun with it; a refusal when it cannot be used. */
export async function claimState(deps: OauthDeps, state: string): Promise<OauthState> {
  const isOurs = isSameSecret(state, stateOf(deps, state.split('.')[0] ?? ''));
  const claimed = isOurs
    ? await acrossWorkspaces(deps.db, (tx) => takeState(tx, hashOf(deps, state), deps.now()))
    : undefined;
  if (claimed !== undefined) return claimed;
  throw new Refusal(
    'invalid',
    'This link to connect Pipedrive was used before, is too old, or is not ours',
    {
      reason: 'oauth_state_invalid',
      fix: 'Begin again in Manifold: connecting has to be finished within 10 minutes, in one go.',
    },
  );
}

/** The registered app; a refusal where connections are made with API tokens only. */
export function requireApp({ oauth }: OauthDeps): RegisteredApp {
  if (oauth !== undefined) return oauth;
  throw new Refusal('precondition', 'No Pipedrive app is registered with this installation', {
    reason: 'pipedrive_refused',
    fix: 'Set PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET and PIPEDRIVE_REDIRECT_URL, or connect with an API token.',
  });
}

function requireReturnUrl({ returnUrls }: OauthDeps, url: string | undefined): void {
  if (url === undefined || isReturnUrlAllowed(url, returnUrls)) return;
  throw new Refusal('invalid', 'The browser may not be sent to this address', {
    reason: 'invalid_input',
    field: 'input.returnUrl',
    fix: 'Use an address below one of RETURN_URLS of the connections service.',
  });
}
