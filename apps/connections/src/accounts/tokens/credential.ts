import type { Authorization, Grant } from '@manifold/pipedrive';
import { INSTALLATION, type Place, type Vault } from '../../vault/seal.ts';
import { refreshTimeOf } from '../grants/rules.ts';
import type { Connection, StoredGrant } from '../tables.ts';

/** A credential ready for use, and which of the tokens stored so far it is. */
export interface Credential {
  connection: Connection;
  authorization: Authorization;
  version: number;
}

type SealedColumn = 'access_token' | 'webhook_path' | 'webhook_password';
type TokenColumn = 'access_token' | 'refresh_token';
type Named = Pick<Connection, 'workspace_id' | 'id'>;

const placeOf = ({ workspace_id, id }: Named, column: SealedColumn): Place => ({
  table: 'connection',
  workspaceId: workspace_id,
  id,
  column,
});

const grantPlace = ({ id }: Pick<StoredGrant, 'id'>, column: TokenColumn): Place => ({
  table: 'pipedrive_grant',
  workspaceId: INSTALLATION,
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

/** A token of a grant; undefined once the grant is gone. */
export function openToken(
  vault: Vault,
  grant: StoredGrant,
  column: TokenColumn,
): string | undefined {
  const sealed = grant[column];
  return sealed === null ? undefined : vault.unseal(grantPlace(grant, column), sealed);
}

/** The stored API token of a connection. */
export function openApiToken(vault: Vault, connection: Connection): Credential {
  const token = openSecret(vault, connection, 'access_token');
  if (token === undefined) throw new Error(`Connection ${connection.id} holds no token`);
  const authorization = { kind: 'apiToken', token } as const;
  return { connection, authorization, version: connection.token_version };
}

/** The stored access token of a connection's grant as it is, whatever its age. */
export function openGrant(vault: Vault, connection: Connection, grant: StoredGrant): Credential {
  const token = openToken(vault, grant, 'access_token');
  if (token === undefined) throw new Error(`The grant of connection ${connection.id} is gone`);
  const authorization = { kind: 'bearer', token } as const;
  return { connection, authorization, version: grant.token_version };
}

/** The columns that hold a grant; the refresh token is stored again even when it did not change. */
export const grantColumns = (
  vault: Vault,
  named: Pick<StoredGrant, 'id'>,
  { grant, now }: { grant: Grant; now: Date },
) => ({
  access_token: vault.seal(grantPlace(named, 'access_token'), grant.accessToken),
  refresh_token: vault.seal(grantPlace(named, 'refresh_token'), grant.refreshToken),
  expires_at: new Date(now.getTime() + grant.expiresInSeconds * 1000),
  refresh_at: refreshTimeOf(now, grant.expiresInSeconds),
  scopes: grant.scopes,
  renewed_at: now,
});
