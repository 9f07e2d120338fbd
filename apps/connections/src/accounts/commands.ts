import {
  type ConnectionId,
  type ConnectionStatus,
  ConnectionStatusChanged,
  type ReasonCode,
} from '@manifold/contracts';
import { type Origin, publish } from '@manifold/messaging';
import type { Tx } from '../store.ts';
import { recheckAt } from './grants/rules.ts';
import {
  lockConnectionsOfGrant,
  lockGrant,
  setBroken,
  setGrant,
  setMended,
} from './grants/store.ts';
import { type Manager, requireEnabling, requireManaging } from './ownership/rules.ts';
import { decideEnabling, requireFound } from './rules.ts';
import { lockConnection, setConnection, setStatus } from './store.ts';
import type { Connection } from './tables.ts';

/** A credential that does not work, as it was when that was found out. */
export interface Rejected<Id> {
  id: Id;
  version: number;
  reason: ReasonCode;
  now: Date;
}

/**
 * A grant is not renewed any more: every connection of it says so once, in its workspace. False when it was renewed
 * meanwhile, which leaves everything as it is. Only in a scope across workspaces.
 */
export async function rejectGrant(tx: Tx, rejected: Rejected<string>): Promise<boolean> {
  const { id, version, reason, now } = rejected;
  const grant = await lockGrant(tx, id);
  if (grant === undefined || grant.token_version !== version) return false;
  // a refresh under way must not bring it back; a user who is active again can, unless the app is gone
  const kept = reason === 'app_removed' ? { refresh_token: null } : {};
  await setGrant(tx, { id, version }, { access_token: null, ...kept });
  for (const connection of await lockConnectionsOfGrant(tx, id)) {
    await markBroken(tx, connection, { reason, now });
  }
  return true;
}

/**
 * The API turned a grant's newest token away, which does not say that the grant is gone: its
 * connections stop, and it is tried again. Only in a scope across workspaces.
 */
export async function suspectGrant(tx: Tx, rejected: Rejected<string>): Promise<void> {
  const { id, version, reason, now } = rejected;
  const grant = await lockGrant(tx, id);
  if (grant === undefined || grant.token_version !== version) return;
  for (const connection of await lockConnectionsOfGrant(tx, id)) {
    await markBroken(tx, connection, { reason, now });
  }
}

/** What is right again: the connections that broke for this reason. */
export interface Mended<Id> {
  id: Id;
  reason: ReasonCode;
  now: Date;
}

/** A grant that was turned away works again, so do its connections; one switched off stays so. */
export async function mendGrant(tx: Tx, { id, reason, now }: Mended<string>): Promise<void> {
  await lockGrant(tx, id);
  for (const connection of await lockConnectionsOfGrant(tx, id)) {
    await mend(tx, connection, { reason, now });
  }
}

/** An API token that was turned away works again; one stored meanwhile speaks for itself. */
export async function mendApiToken(
  tx: Tx,
  { id, version, reason, now }: Mended<ConnectionId> & { version: number },
): Promise<void> {
  const connection = await lockConnection(tx, id);
  if (connection?.token_version === version) await mend(tx, connection, { reason, now });
}

async function mend(
  tx: Tx,
  connection: Connection,
  { reason, now }: { reason: ReasonCode; now: Date },
): Promise<void> {
  if (!(await setMended(tx, connection.id, { reason, now }))) return;
  const asker = pipedriveOf(connection);
  const change = { asker, from: ['NEEDS_REAUTH'], to: 'ACTIVE', reason: null, now } as const;
  await changeStatus(tx, connection, change);
}

const pipedriveOf = (connection: Connection): Origin => ({
  workspaceId: connection.workspace_id,
  actor: { kind: 'pipedrive', id: connection.pipedrive_user_id },
  correlationId: connection.correlation_id,
});

/** An API token is dead: the connection says so once; one renewed meanwhile is left alone. */
export async function rejectApiToken(tx: Tx, rejected: Rejected<ConnectionId>): Promise<void> {
  const connection = await lockConnection(tx, rejected.id);
  if (connection === undefined || connection.token_version !== rejected.version) return;
  await markBroken(tx, connection, rejected);
}

/** A connection that answers but must not be used any more says so once. */
export async function stopConnection(
  tx: Tx,
  id: ConnectionId,
  found: { reason: ReasonCode; now: Date },
): Promise<void> {
  const connection = await lockConnection(tx, id);
  if (connection !== undefined) await markBroken(tx, connection, found);
}

/** What waits for the connection stays: connecting again lets it go on. */
async function markBroken(
  tx: Tx,
  connection: Connection,
  { reason, now }: { reason: ReasonCode; now: Date },
): Promise<void> {
  if (!(await setBroken(tx, connection.id, { reason, now }))) return;
  await setConnection(tx, connection.id, { upkeep_at: recheckAt(now, now) });
  // the app's webhooks go with its consent
  const isRemoved = reason === 'app_removed';
  if (isRemoved)
    await setConnection(tx, connection.id, { webhook_state: 'PENDING', webhook_id: null });
  const asker = pipedriveOf(connection);
  await changeStatus(tx, connection, { asker, from: ['ACTIVE'], to: 'NEEDS_REAUTH', reason, now });
}

/** Nothing is asked of Pipedrive, and nothing it sends is acted on, until it is switched on again. */
export async function disableConnection(
  tx: Tx,
  id: ConnectionId,
  { asker, now }: { asker: Origin & Manager; now: Date },
): Promise<Connection> {
  const connection = requireFound(await lockConnection(tx, id), id, 'input.id');
  requireManaging(connection, asker, 'input.id');
  // an administrator's word counts more than its owner's
  if (connection.status !== 'DISABLED' || asker.byAdmin)
    await setConnection(tx, id, { disabled_by: asker.userId });
  return changeStatus(tx, connection, {
    asker,
    from: ['ACTIVE', 'NEEDS_REAUTH'],
    to: 'DISABLED',
    reason: connection.status_reason,
    now,
  });
}

/** Upkeep comes at once: the subscription may have died meanwhile, or a dead credential come back. */
export async function enableConnection(
  tx: Tx,
  id: ConnectionId,
  { asker, now }: { asker: Origin & Manager; now: Date },
): Promise<Connection> {
  const connection = requireFound(await lockConnection(tx, id), id, 'input.id');
  requireEnabling(connection, asker, 'input.id');
  const to = decideEnabling(connection);
  if (connection.status !== 'ACTIVE')
    await setConnection(tx, id, { upkeep_at: now, disabled_by: null });
  return changeStatus(tx, connection, {
    asker,
    from: ['DISABLED'],
    to,
    reason: connection.status_reason,
    now,
  });
}

async function changeStatus(
  tx: Tx,
  connection: Connection,
  change: {
    asker: Origin;
    from: readonly ConnectionStatus[];
    to: ConnectionStatus;
    reason: ReasonCode | null;
    now: Date;
  },
): Promise<Connection> {
  const { asker, to, reason, now } = change;
  if (!(await setStatus(tx, connection.id, change))) return connection;
  await publish(tx, ConnectionStatusChanged, {
    origin: asker,
    key: connection.id,
    payload: {
      connectionId: connection.id,
      status: to,
      ...(reason === null ? {} : { reason }),
    },
    now,
  });
  return { ...connection, status: to, status_reason: reason, updated_at: now };
}
