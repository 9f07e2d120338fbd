import { randomBytes } from 'node:crypto';
import { ConnectionId, type UserId, type WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import type { Me } from '@manifold/pipedrive';
import type { Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { sealSecret } from './credential.ts';
import { decideKind } from './rules.ts';
import { lockConnectionOfUser } from './grants/store.ts';
import { insertConnection, setConnection } from './store.ts';
import type { Connection } from './tables.ts';

/** The credential columns of a new or renewed connection, sealed for its id. */
export type SealCredential = (
  connection: Pick<Connection, 'workspace_id' | 'id'>,
) => Pick<Connection, 'access_token' | 'refresh_token' | 'expires_at' | 'refresh_at' | 'scopes'>;

export interface NewGrant {
  workspaceId: WorkspaceId;
  userId: UserId;
  kind: Connection['kind'];
  method: Connection['method'];
  me: Me;
  apiDomain: string;
  correlationId: string;
  seal: SealCredential;
}

/** How long a new connection is left to the request that makes it before upkeep takes over. */
const SET_UP_LEASE_MS = 60_000;

/** Keeps a grant: a new connection, or the workspace's earlier one of the same user, working again. */
export async function keepGrant(
  tx: Tx,
  grant: NewGrant,
  { vault, now }: { vault: Vault; now: Date },
): Promise<Connection> {
  const { me } = grant;
  const existing = await lockConnectionOfUser(tx, {
    companyId: me.companyId,
    pipedriveUserId: me.id,
  });
  const named = {
    workspace_id: grant.workspaceId,
    id: existing?.id ?? newId('cn', ConnectionId),
  };
  const granted = {
    kind: decideKind(existing?.kind, grant.kind),
    method: grant.method,
    status: 'ACTIVE',
    status_reason: null,
    company_name: me.companyName,
    company_domain: me.companyDomain,
    api_domain: grant.apiDomain,
    is_admin: me.admin,
    ...grant.seal(named),
    token_version: (existing?.token_version ?? 0) + 1,
    webhook_state: 'PENDING',
    is_renewal: existing !== undefined,
    established_at: null,
    upkeep_at: new Date(now.getTime() + SET_UP_LEASE_MS),
    correlation_id: grant.correlationId,
    updated_at: now,
  } satisfies Partial<Connection>;
  if (existing !== undefined) return (await setConnection(tx, existing.id, granted)) ?? existing;
  const connection: Connection = {
    ...named,
    ...granted,
    user_id: grant.userId,
    company_id: me.companyId,
    pipedrive_user_id: me.id,
    webhook_id: null,
    ...webhookSecrets(vault, named),
    created_at: now,
  };
  await insertConnection(tx, connection);
  return connection;
}

/** An unguessable path and password, for the deliveries of this connection alone. */
function webhookSecrets(vault: Vault, named: Pick<Connection, 'workspace_id' | 'id'>) {
  const path = randomBytes(32).toString('base64url');
  const secret = randomBytes(32).toString('base64url');
  return {
    webhook_path: sealSecret(vault, named, { column: 'webhook_path', secret: path }),
    webhook_path_hash: vault.keyedHash('webhook-path', path),
    webhook_password: sealSecret(vault, named, { column: 'webhook_password', secret }),
  };
}
