import { randomBytes } from 'node:crypto';
import {
  ConnectionId,
  ConnectionStatusChanged,
  type UserId,
  type WorkspaceId,
} from '@manifold/contracts';
import { newId } from '@manifold/database';
import type { Refusal } from '@manifold/errors';
import { publish } from '@manifold/messaging';
import type { Me } from '@manifold/pipedrive';
import type { RegisteredApp } from '../../oauth/apps.ts';
import type { Tx } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { refuseLimitedUser, refuseReplacing, seesEnough } from '../consent/rules.ts';
import { insertConsent } from '../consent/store.ts';
import { sealSecret } from '../tokens/credential.ts';
import { lockConnectionOfUser } from '../grants/store.ts';
import { refuseRole } from '../ownership/rules.ts';
import { type Former, takeRemoved } from '../ownership/removed.ts';
import { decideStatus } from '../rules.ts';
import { insertConnection, setConnection } from '../store.ts';
import type { Connection, StoredGrant } from '../tables.ts';

/** What a connection calls Pipedrive with. */
export type NewCredential =
  | { method: 'OAUTH'; grant: StoredGrant; app: RegisteredApp }
  | { method: 'API_TOKEN'; apiToken: string; replacesOauth: boolean };

export interface NewConnection {
  workspaceId: WorkspaceId;
  userId: UserId;
  /** Whoever connects has the role ADMIN at least. */
  byAdmin: boolean;
  kind: Connection['kind'];
  credential: NewCredential;
  me: Me;
  apiDomain: string;
  acceptsLimitedVisibility: boolean;
  termsVersion: string | null;
  correlationId: string;
}

/** How long a new connection is left to the request that makes it before upkeep takes over. */
const SET_UP_LEASE_MS = 60_000;

export interface KeepDeps {
  vault: Vault;
  now: Date;
}

/** A connection that was kept, and the grant it used before when that is another. */
export interface Kept {
  connection: Connection;
  formerGrantId: string | null;
}

/**
 * Keeps a connection: a new one, or the workspace's earlier one of the same user, working again.
 * Returns the refusal when its user would see too little and nobody accepted that, or when it is one
 * for the whole workspace and no administrator connects, or an API token would take the place of a
 * consent unasked: that is known only here.
 */
export async function storeConnection(
  tx: Tx,
  made: NewConnection,
  { vault, now }: KeepDeps,
): Promise<Kept | Refusal> {
  const { workspaceId, me } = made;
  const { kind, userId: owner } = made;
  const user = { workspaceId, companyId: me.companyId, pipedriveUserId: me.id, kind, owner };
  const existing = await lockConnectionOfUser(tx, user);
  const accepts = made.acceptsLimitedVisibility || (existing?.accepts_limited_visibility ?? false);
  if (kind === 'ORGANIZATION' && !made.byAdmin) return refuseRole();
  if (turnsFromOauth(existing, made.credential)) return refuseReplacing();
  const { method } = made.credential;
  if (!seesEnough({ kind, isAdmin: me.admin, accepts })) return refuseLimitedUser(method);
  const named = { workspace_id: workspaceId, id: existing?.id ?? newId('cn', ConnectionId) };
  // its owner removed it, and connects again
  const removed = existing === undefined ? await takeRemoved(tx, made) : undefined;
  const columns = {
    ...columnsOf(made, { existing, removed, now }),
    ...credentialColumns(vault, made, named),
    kind,
    accepts_limited_visibility: accepts,
  };
  const connection: Connection =
    existing === undefined
      ? { ...named, ...columns, ...newColumns(vault, made, { named, now }) }
      : ((await setConnection(tx, existing.id, columns)) ?? existing);
  if (existing === undefined) await insertConnection(tx, connection);
  else if (existing.status !== connection.status) await tellStatus(tx, made, { connection, now });
  await keepConsent(tx, made, connection);
  const former = existing?.grant_id ?? null;
  return { connection, formerGrantId: former === connection.grant_id ? null : former };
}

const turnsFromOauth = (existing: Connection | undefined, credential: NewCredential): boolean =>
  existing?.method === 'OAUTH' && credential.method === 'API_TOKEN' && !credential.replacesOauth;

const columnsOf = (
  { me, apiDomain, correlationId, userId, byAdmin }: NewConnection,
  {
    existing,
    removed,
    now,
  }: { existing: Connection | undefined; removed: Former | undefined; now: Date },
) => {
  const former = existing ?? removed;
  const status = decideStatus(former, { userId, byAdmin });
  return {
    user_id: userId,
    status,
    disabled_by: status === 'DISABLED' ? (former?.disabled_by ?? null) : null,
    status_reason: null,
    broken_since: null,
    company_name: me.companyName,
    company_domain: me.companyDomain,
    api_domain: apiDomain,
    is_admin: me.admin,
    token_version: (existing?.token_version ?? 0) + 1,
    webhook_state: 'PENDING',
    is_renewal: existing !== undefined,
    established_at: null,
    upkeep_at: new Date(now.getTime() + SET_UP_LEASE_MS),
    correlation_id: correlationId,
    updated_at: now,
  } satisfies Partial<Connection>;
};

const credentialColumns = (
  vault: Vault,
  { credential }: NewConnection,
  named: Pick<Connection, 'workspace_id' | 'id'>,
) =>
  credential.method === 'OAUTH'
    ? {
        method: credential.method,
        access_token: null,
        grant_id: credential.grant.id,
        app_name: credential.app.name,
        scopes: credential.grant.scopes,
      }
    : {
        method: credential.method,
        access_token: sealSecret(vault, named, {
          column: 'access_token',
          secret: credential.apiToken,
        }),
        grant_id: null,
        app_name: null,
        // an API token may do whatever its user may
        scopes: [],
      };

/** With an unguessable path and password, for the deliveries of this connection alone. */
function newColumns(
  vault: Vault,
  { me }: NewConnection,
  { named, now }: { named: Pick<Connection, 'workspace_id' | 'id'>; now: Date },
) {
  const path = randomBytes(32).toString('base64url');
  const secret = randomBytes(32).toString('base64url');
  return {
    company_id: me.companyId,
    pipedrive_user_id: me.id,
    webhook_id: null,
    webhook_path: sealSecret(vault, named, { column: 'webhook_path', secret: path }),
    webhook_path_hash: vault.keyedHash('webhook-path', path),
    webhook_password: sealSecret(vault, named, { column: 'webhook_password', secret }),
    created_at: now,
  };
}

const tellStatus = (
  tx: Tx,
  { workspaceId, userId, correlationId }: NewConnection,
  { connection, now }: { connection: Connection; now: Date },
): Promise<void> =>
  publish(tx, ConnectionStatusChanged, {
    origin: { workspaceId, actor: { kind: 'user', id: userId }, correlationId },
    key: connection.id,
    payload: { connectionId: connection.id, status: connection.status },
    now,
  });

const keepConsent = (tx: Tx, made: NewConnection, connection: Connection): Promise<void> =>
  insertConsent(tx, {
    workspace_id: connection.workspace_id,
    connection_id: connection.id,
    accepted_at: connection.updated_at,
    user_id: made.userId,
    app_name: connection.app_name,
    scopes: connection.scopes,
    terms_version: made.termsVersion,
  });
