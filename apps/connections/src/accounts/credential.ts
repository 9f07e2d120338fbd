import type { Authorization, Grant } from '@manifold/pipedrive';
import type { Place, Vault } from '../vault/seal.ts';
import { refreshTimeOf } from './rules.ts';
import type { Connection } from './tables.ts';

/** A credential ready for use, and which of the tokens stored so far it is. */
export interface Credential {
  connection: Connection;
  authorization: Authorization;
  version: number;
}

type SealedColumn = 'access_token' | 'refresh_token' | 'webhook_path' | 'webhook_password';
type Named = Pick<Connection, 'workspace_id' | 'id'>;

const placeOf = ({ workspace_id, id }: Named, column: SealedColumn): Place => ({
  table: 'connection',
  workspaceId: workspace_id,
  id,
  column,
});

/** Seals a secret for one column of one connection. */
export const sealSecret = (
  vault: Vault,
  connection: Named,
  { column, secret }: { column: SealedColumn; secret: string },
): string => vault.seal(placeOf(connection, column), secret);

/** Opens a sealed column; undefined when it is empty. */
export function openSecret(
  vault: Vault,
  connection: Connection,
  column: SealedColumn,
): string | undefined {
  const sealed = connection[column];
  return sealed === null ? undefined : vault.unseal(placeOf(connection, column), sealed);
}

/** The stored credential as it is, whatever its age. */
export function openCredential(vault: Vault, connection: Connection): Credential {
  const token = openSecret(vault, connection, 'access_token');
  if (token === undefined) throw new Error(`Connection ${connection.id} holds no token`);
  const kind = connection.method === 'OAUTH' ? 'bearer' : 'apiToken';
  return { connection, authorization: { kind, token }, version: connection.token_version };
}

/** The columns that hold a grant; the refresh token is stored again even when it did not change. */
export const grantColumns = (
  vault: Vault,
  connection: Named,
  { grant, now }: { grant: Grant; now: Date },
) => ({
  access_token: sealSecret(vault, connection, {
    column: 'access_token',
    secret: grant.accessToken,
  }),
  refresh_token: sealSecret(vault, connection, {
    column: 'refresh_token',
    secret: grant.refreshToken,
  }),
  expires_at: new Date(now.getTime() + grant.expiresInSeconds * 1000),
  refresh_at: refreshTimeOf(now, grant.expiresInSeconds),
  scopes: grant.scopes,
});
