import { randomBytes, randomUUID } from 'node:crypto';
import { acrossWorkspaces, createOnce, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { authorizeUrl } from '@manifold/pipedrive';
import type { Asker, ConnectingDeps } from '../accounts/connecting/connecting.ts';
import { requireTerms } from '../accounts/consent/rules.ts';
import type { Connection } from '../accounts/tables.ts';
import { isSameSecret } from '../vault/compare.ts';
import { type RegisteredApp, requireApp } from './apps.ts';
import { CODE_LIVES_MS } from './completion/rules.ts';
import { hashOfCode, sealCode } from './completion/sealing.ts';
import { isReturnUrlAllowed, STATE_LIVES_MS } from './rules.ts';
import { findState, insertState, setReturned, takeState } from './store.ts';
import type { OauthState } from './tables.ts';

export interface OauthDeps extends ConnectingDeps {
  /** Addresses below which a browser may be sent after connecting. */
  returnUrls: readonly string[];
}

export interface BeginInput {
  kind: Connection['kind'];
  /** Name of a registered app; absent: the first. */
  app?: string | undefined;
  acceptLimitedVisibility?: boolean | undefined;
  /** Version of the operator's terms. */
  acceptTerms?: string | undefined;
  returnUrl?: string | undefined;
  idempotencyKey?: string | undefined;
}

/** Where to send the browser, and until when it may come back. */
export async function beginConnection(
  deps: OauthDeps,
  input: BeginInput,
  asker: Asker,
): Promise<{ authorizationUrl: string; expiresAt: Date }> {
  const app = requireApp(deps.apps, input.app);
  requireTerms(deps.terms, input.acceptTerms);
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
        await insertState(tx, stateRow(deps, input, { asker, app, seed: fresh }));
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

const stateRow = (
  deps: OauthDeps,
  input: BeginInput,
  begun: { asker: Asker; app: RegisteredApp; seed: string },
): OauthState => ({
  workspace_id: begun.asker.workspaceId,
  state_hash: hashOf(deps, stateOf(deps, begun.seed)),
  user_id: begun.asker.userId,
  kind: input.kind,
  return_url: input.returnUrl ?? null,
  correlation_id: begun.asker.correlationId,
  app_name: begun.app.name,
  accepts_limited_visibility: input.acceptLimitedVisibility ?? false,
  by_admin: begun.asker.byAdmin,
  terms_version: input.acceptTerms ?? null,
  expires_at: new Date(deps.now().getTime() + STATE_LIVES_MS),
  used_at: null,
  created_at: deps.now(),
  id: randomUUID(),
  code_hash: null,
  code_expires_at: null,
  sealed_code: null,
  sealed_grant: null,
  claimed_until: null,
  attempts: 0,
  finished_at: null,
  connection_id: null,
});

/** Random, and signed: a guess is turned away without asking the database. */
const stateOf = ({ vault }: OauthDeps, seed: string): string =>
  `${seed}.${vault.keyedHash('oauth-state-signature', seed)}`;

const hashOf = ({ vault }: OauthDeps, state: string): string =>
  vault.keyedHash('oauth-state', state);

export interface Returned {
  begun: OauthState;
  /** What whoever began completes it with; undefined when they denied the consent. */
  completionCode: string | undefined;
}

/**
 * A browser came back: uses the state up and keeps Pipedrive's code. Whose browser that was is not
 * known here, so nothing is connected: whoever began has to complete it.
 */
export async function receiveReturn(
  deps: OauthDeps,
  { state, code }: { state: string; code: string | undefined },
): Promise<Returned> {
  const isOurs = isSameSecret(state, stateOf(deps, state.split('.')[0] ?? ''));
  const completionCode = code === undefined ? undefined : randomBytes(24).toString('base64url');
  const begun = isOurs
    ? await acrossWorkspaces(deps.db, async (tx) => {
        const taken = await takeState(tx, hashOf(deps, state), deps.now());
        if (taken === undefined || code === undefined || completionCode === undefined) return taken;
        await setReturned(tx, taken, {
          code_hash: hashOfCode(deps.vault, completionCode),
          code_expires_at: new Date(deps.now().getTime() + CODE_LIVES_MS),
          sealed_code: sealCode(deps.vault, taken, code),
        });
        return taken;
      })
    : undefined;
  if (begun !== undefined) return { begun, completionCode };
  throw new Refusal(
    'invalid',
    'This link to connect Pipedrive was used before, is too old, or is not ours',
    {
      reason: 'oauth_state_invalid',
      fix: 'Begin again in Manifold: you have to be back within 10 minutes, in one go.',
    },
  );
}

function requireReturnUrl({ returnUrls }: OauthDeps, url: string | undefined): void {
  if (url === undefined || isReturnUrlAllowed(url, returnUrls)) return;
  throw new Refusal('invalid', 'The browser may not be sent to this address', {
    reason: 'invalid_input',
    field: 'input.returnUrl',
    fix: 'Use an address below one of RETURN_URLS of the connections service.',
  });
}
