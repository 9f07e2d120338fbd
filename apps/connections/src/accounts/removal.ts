import { ConnectionDeleted, type ConnectionId } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { type Origin, publish } from '@manifold/messaging';
import {
  type CallReport,
  createPipedriveClient,
  type OauthApp,
  revokeGrant,
} from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { FinishedCall } from '../budget/commands.ts';
import { removeCatalogues } from '../fields/store.ts';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { removeReceipts } from '../webhooks/store.ts';
import { cancelRequestsOf } from '../writes/commands.ts';
import { openCredential, openSecret } from './credential.ts';
import { finishedCall } from './finished-call.ts';
import { listConnectionsOfGrant } from './grants/store.ts';
import { requireFound } from './rules.ts';
import { findConnection, lockConnection, removeConnection } from './store.ts';
import type { Connection } from './tables.ts';

const CALL_TIMEOUT_MS = 8_000;

export interface RemovalDeps {
  db: Db;
  vault: Vault;
  oauth: OauthApp | undefined;
  allowedApiDomains: readonly string[];
  onCall: (call: FinishedCall) => Promise<void>;
  now: () => Date;
  log: Logger;
}

/**
 * Takes a connection away: its subscription, its grant unless another workspace uses it too, and what
 * this service kept for it. Pipedrive being out of reach does not keep a connection alive.
 */
export async function deleteConnection(
  deps: RemovalDeps,
  id: ConnectionId,
  asker: Origin,
): Promise<Connection> {
  const { db, log, now } = deps;
  const found = await withWorkspace(db, asker.workspaceId, (tx) => findConnection(tx, id));
  const connection = requireFound(found, id, 'input.id');
  await unsubscribe(deps, connection).catch((error: unknown) =>
    log.warn({ err: error, connection: id }, 'webhook not removed at Pipedrive'),
  );
  await withWorkspace(db, asker.workspaceId, async (tx) => {
    // nobody adds a write to it from here on
    await lockConnection(tx, id);
    await cancelRequestsOf(tx, id, { asker, now: now() });
    if (!(await removeConnection(tx, id))) return;
    await removeReceipts(tx, asker.workspaceId, id);
    await removeCatalogues(tx, id);
    await publish(tx, ConnectionDeleted, {
      origin: asker,
      key: id,
      payload: { connectionId: id, companyId: connection.company_id },
      now: now(),
    });
  });
  await revokeUnshared(deps, connection);
  return connection;
}

/** Straight to Pipedrive: a connection that is switched off has a subscription all the same. */
async function unsubscribe(
  { vault, allowedApiDomains, onCall }: RemovalDeps,
  connection: Connection,
): Promise<void> {
  if (connection.webhook_id === null || connection.access_token === null) return;
  const { authorization } = openCredential(vault, connection);
  const calls: CallReport[] = [];
  const client = createPipedriveClient({
    apiDomain: connection.api_domain,
    allowedApiDomains,
    authorization: () => Promise.resolve(authorization),
    timeoutMs: CALL_TIMEOUT_MS,
    onCall: (call) => void calls.push(call),
  });
  await client.deleteWebhook(connection.webhook_id);
  const use = { lane: 'interactive', feature: 'connections' } as const;
  for (const call of calls) await onCall(finishedCall(connection, use, call));
}

async function revokeUnshared(
  { db, vault, oauth, log }: RemovalDeps,
  connection: Connection,
): Promise<void> {
  const token = openSecret(vault, connection, 'refresh_token');
  if (oauth === undefined || connection.method !== 'OAUTH' || token === undefined) return;
  const others = await acrossWorkspaces(db, (tx) =>
    listConnectionsOfGrant(tx, {
      companyId: connection.company_id,
      pipedriveUserId: connection.pipedrive_user_id,
    }),
  );
  if (others.length > 0) return;
  const revoked = await revokeGrant(
    { ...oauth, timeoutMs: CALL_TIMEOUT_MS },
    { token, hint: 'refresh_token' },
  );
  if (revoked.outcome !== 'ok') {
    log.warn({ connection: connection.id, outcome: revoked.outcome }, 'grant not revoked');
  }
}
