import type { Grant } from '@manifold/pipedrive';
import { z } from 'zod';
import type { Place, Vault } from '../../vault/seal.ts';
import type { OauthState } from '../tables.ts';

type Named = Pick<OauthState, 'workspace_id' | 'id'>;

const placeOf = ({ workspace_id, id }: Named, column: Place['column']): Place => ({
  table: 'oauth_state',
  workspaceId: workspace_id,
  id,
  column,
});

const Traded = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  expiresInSeconds: z.number(),
  scopes: z.array(z.string()),
  apiDomain: z.string(),
  tokenType: z.string(),
});

export const sealCode = (vault: Vault, state: Named, code: string): string =>
  vault.seal(placeOf(state, 'sealed_code'), code);

export const openCode = (vault: Vault, state: OauthState): string | undefined =>
  state.sealed_code === null
    ? undefined
    : vault.unseal(placeOf(state, 'sealed_code'), state.sealed_code);

export const sealGrant = (vault: Vault, state: Named, grant: Grant): string =>
  vault.seal(placeOf(state, 'sealed_grant'), JSON.stringify(grant));

export function openTraded(vault: Vault, state: OauthState): Grant | undefined {
  if (state.sealed_grant === null) return undefined;
  return Traded.parse(JSON.parse(vault.unseal(placeOf(state, 'sealed_grant'), state.sealed_grant)));
}

/** What the code for completing is found by. */
export const hashOfCode = (vault: Vault, code: string): string =>
  vault.keyedHash('oauth-completion', code);
