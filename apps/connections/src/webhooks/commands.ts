import { randomBytes } from 'node:crypto';
import { PipedriveRecord, WebhookReceiptId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { openSecret, sealSecret } from '../accounts/tokens/credential.ts';
import { findConnectionByWebhookPath, setConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import { basicAuthorization, isSameSecret } from '../vault/compare.ts';
import type { Place, Vault } from '../vault/seal.ts';
import { findAnyHealth, findHealth, putHealth } from './health/store.ts';
import { insertReceipt } from './store.ts';
import { WEBHOOK_USER } from './subscription.ts';
import type { WebhookHealth, WebhookReceipt } from './tables.ts';

export interface ReceiveDeps {
  db: Db;
  vault: Vault;
  now: () => Date;
  /** Called when a delivery is stored. */
  wake: () => void;
}

/** Whose delivery this is; undefined unless path and password belong together. */
export async function authenticate(
  { db, vault, now }: ReceiveDeps,
  delivery: { path: string; authorization: string },
): Promise<Connection | undefined> {
  const hash = vault.keyedHash('webhook-path', delivery.path);
  const [connection, health] = await acrossWorkspaces(db, async (tx) => {
    const found = await findConnectionByWebhookPath(tx, hash);
    return [found, found && (await findAnyHealth(tx, found.id))] as const;
  });
  const password = connection && openSecret(vault, connection, 'webhook_password');
  const previous = health && openPrevious(vault, health, now());
  // an unknown path is compared all the same, so that it takes as long as a wrong password
  const isCurrent = isPassword(delivery.authorization, password ?? hash);
  const isPrevious = isPassword(delivery.authorization, previous ?? hash);
  const isRight = (isCurrent && password !== undefined) || (isPrevious && previous !== undefined);
  return isRight ? connection : undefined;
}

const isPassword = (authorization: string, password: string): boolean =>
  isSameSecret(authorization, basicAuthorization(WEBHOOK_USER, password));

const previousPlace = ({
  workspace_id,
  id,
}: Pick<WebhookHealth, 'workspace_id' | 'id'>): Place => ({
  table: 'webhook_health',
  workspaceId: workspace_id,
  id,
  column: 'previous_password',
});

/** The secret before this one, while deliveries made with it may still come. */
function openPrevious(vault: Vault, health: WebhookHealth, now: Date): string | undefined {
  const { previous_password: sealed, previous_until: until } = health;
  if (sealed === null || (until !== null && until <= now)) return undefined;
  return vault.unseal(previousPlace(health), sealed);
}

/** Gives a connection a new webhook secret; the one before opens until Pipedrive uses the new one. */
export async function rotateSecret(
  tx: Db,
  connection: Connection,
  { vault, now }: { vault: Vault; now: Date },
): Promise<void> {
  const named = { workspace_id: connection.workspace_id, id: connection.id };
  const health = await findHealth(tx, connection.id);
  // asked again before Pipedrive was told, or while it is: the new one of before is as new
  if (health !== undefined && health.rotate_at !== null)
    return putHealth(tx, { ...named, due_at: now });
  const password = openSecret(vault, connection, 'webhook_password') ?? '';
  await putHealth(tx, {
    ...named,
    previous_password: vault.seal(previousPlace(named), password),
    previous_until: null,
    rotate_at: now,
    due_at: now,
  });
  const secret = randomBytes(32).toString('base64url');
  const column = 'webhook_password';
  await setConnection(tx, connection.id, {
    webhook_password: sealSecret(vault, connection, { column, secret }),
    updated_at: now,
  });
}

/**
 * Keeps a delivery as it came, sealed. While a connection is switched off it is kept too, a week at
 * most, and understood when the connection is switched on again.
 */
export async function storeDelivery(
  { db, vault, now, wake }: ReceiveDeps,
  connection: Connection,
  body: string,
): Promise<void> {
  const named = { workspace_id: connection.workspace_id, id: newId('wh', WebhookReceiptId) };
  await withWorkspace(db, connection.workspace_id, (tx) =>
    insertReceipt(tx, {
      ...named,
      connection_id: connection.id,
      body: vault.seal(receiptPlace(named, 'body'), body),
      received_at: now(),
    }),
  );
  wake();
}

/** Where the sealed parts of a receipt belong. */
export const receiptPlace = (
  { workspace_id, id }: Pick<WebhookReceipt, 'workspace_id' | 'id'>,
  column: 'body' | 'record',
): Place => ({ table: 'webhook_receipt', workspaceId: workspace_id, id, column });

/** The record a delivery carried; undefined before it is understood, and when there was none. */
export const readRecord = (vault: Vault, receipt: WebhookReceipt): PipedriveRecord | undefined =>
  receipt.record === null
    ? undefined
    : PipedriveRecord.parse(
        JSON.parse(vault.unseal(receiptPlace(receipt, 'record'), receipt.record)),
      );
