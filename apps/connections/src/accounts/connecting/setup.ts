import { ConnectionEstablished, type ConnectionId, type WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { publish } from '@manifold/messaging';
import type { PipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import { readDueCatalogues } from '../../fields/commands.ts';
import type { Db, Tx } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { ensureSubscription } from '../../webhooks/subscription.ts';
import type { OwnFeature } from '../../budget/usage/features.ts';
import type { PipedriveAccess } from '../calling/client.ts';
import { stopConnection } from '../commands.ts';
import { nextUpkeep } from '../rules.ts';
import { findConnection, lockConnection, setConnection } from '../store.ts';
import type { Connection } from '../tables.ts';

export interface SetupDeps {
  db: Db;
  vault: Vault;
  access: PipedriveAccess;
  /** Where Pipedrive reaches this service. */
  publicUrl: string;
  now: () => Date;
  log: Logger;
}

/**
 * Brings a connection to where it should be: subscribed, its fields known, and announced. Safe to
 * repeat after a stop at any point; what cannot be done now is left to upkeep.
 */
export async function setUpConnection(
  deps: SetupDeps,
  workspaceId: WorkspaceId,
  id: ConnectionId,
): Promise<Connection | undefined> {
  const { db, access, now } = deps;
  const connection = await withWorkspace(db, workspaceId, (tx) => findConnection(tx, id));
  if (connection?.status !== 'ACTIVE') return connection;
  const lane = connection.established_at === null ? 'interactive' : 'event';
  const clientFor = (feature: OwnFeature) => access.clientFor(workspaceId, id, { lane, feature });
  const client = await clientFor('connecting');
  // connecting has just asked; later it tells of a user who lost rights, and keeps the grant in use
  if (connection.established_at !== null) await checkUser(deps, client, connection);
  const subscribed = await ensureSubscription(deps, await clientFor('webhook_upkeep'), connection);
  const areFieldsRead = await readDueCatalogues(
    deps,
    await clientFor('field_catalogue'),
    connection,
  );
  return withWorkspace(db, workspaceId, async (tx) => {
    const current = await lockConnection(tx, id);
    if (current?.status !== 'ACTIVE') return current;
    if (current.established_at === null) await announce(tx, current, now());
    return setConnection(tx, id, {
      established_at: current.established_at ?? now(),
      upkeep_at: nextUpkeep(now(), { pace: areFieldsRead ? subscribed : 'soon' }),
    });
  });
}

/** Who the credential belongs to may have changed since: renamed, no longer an administrator, deactivated. */
async function checkUser(
  { db, now, log }: SetupDeps,
  client: PipedriveClient,
  connection: Connection,
): Promise<void> {
  const answer = await client.getMe();
  if (answer.outcome !== 'ok') {
    log.warn({ connection: connection.id, outcome: answer.outcome }, 'user not checked');
    return;
  }
  const { admin, active, companyName, companyDomain } = answer.data;
  await withWorkspace(db, connection.workspace_id, async (tx) => {
    await setConnection(tx, connection.id, {
      is_admin: admin,
      company_name: companyName,
      company_domain: companyDomain,
    });
    if (!active)
      await stopConnection(tx, connection.id, { reason: 'user_deactivated', now: now() });
  });
}

const announce = (tx: Tx, connection: Connection, now: Date): Promise<void> =>
  publish(tx, ConnectionEstablished, {
    origin: {
      workspaceId: connection.workspace_id,
      actor: { kind: 'user', id: connection.user_id },
      correlationId: connection.correlation_id,
    },
    key: connection.id,
    payload: {
      connectionId: connection.id,
      companyId: connection.company_id,
      kind: connection.kind,
      method: connection.method,
      renewed: connection.is_renewal,
    },
    now,
  });
