import {
  type ConnectionId,
  type ConnectionStatus,
  ConnectionStatusChanged,
  type ReasonCode,
} from '@manifold/contracts';
import { type Origin, publish } from '@manifold/messaging';
import type { Tx } from '../store.ts';
import { decideEnabling, requireFound } from './rules.ts';
import { lockConnection, setConnection, setStatus } from './store.ts';
import type { Connection } from './tables.ts';

/** The grant of `version` is gone. Says so once; a connection renewed meanwhile is left alone. */
export async function rejectGrant(
  tx: Tx,
  rejected: { connection: Connection; version: number; now: Date },
): Promise<void> {
  const { connection, version, now } = rejected;
  const current = await lockConnection(tx, connection.id);
  if (current === undefined || current.token_version !== version) return;
  await changeStatus(tx, current, {
    asker: {
      workspaceId: current.workspace_id,
      actor: { kind: 'pipedrive', id: current.pipedrive_user_id },
      correlationId: current.correlation_id,
    },
    from: ['ACTIVE'],
    to: 'NEEDS_REAUTH',
    reason: 'token_rejected',
    now,
  });
}

/** Pipedrive's user removed the app: tokens and subscription are gone, what waits stays. */
export async function dropGrant(
  tx: Tx,
  id: ConnectionId,
  { asker, now }: { asker: Origin; now: Date },
): Promise<void> {
  const connection = await lockConnection(tx, id);
  if (connection === undefined) return;
  await setConnection(tx, id, {
    access_token: null,
    refresh_token: null,
    // a refresh under way must not bring the grant back
    token_version: connection.token_version + 1,
    webhook_state: 'PENDING',
    webhook_id: null,
    status_reason: 'token_rejected',
    updated_at: now,
  });
  await changeStatus(tx, connection, {
    asker,
    from: ['ACTIVE'],
    to: 'NEEDS_REAUTH',
    reason: 'token_rejected',
    now,
  });
}

/** Nothing is asked of Pipedrive, and nothing it sends is heard, until it is switched on again. */
export async function disableConnection(
  tx: Tx,
  id: ConnectionId,
  { asker, now }: { asker: Origin; now: Date },
): Promise<Connection> {
  const connection = requireFound(await lockConnection(tx, id), id, 'input.id');
  return changeStatus(tx, connection, {
    asker,
    from: ['ACTIVE', 'NEEDS_REAUTH'],
    to: 'DISABLED',
    reason: connection.status_reason,
    now,
  });
}

export async function enableConnection(
  tx: Tx,
  id: ConnectionId,
  { asker, now }: { asker: Origin; now: Date },
): Promise<Connection> {
  const connection = requireFound(await lockConnection(tx, id), id, 'input.id');
  const to = decideEnabling(connection);
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
