import { PipedriveRecord, WebhookReceiptId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { openSecret } from '../accounts/credential.ts';
import { findConnectionByWebhookPath } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import { basicAuthorization, isSameSecret } from '../vault/compare.ts';
import type { Place, Vault } from '../vault/seal.ts';
import { insertReceipt } from './store.ts';
import { WEBHOOK_USER } from './subscription.ts';
import type { WebhookReceipt } from './tables.ts';

export interface ReceiveDeps {
  db: Db;
  vault: Vault;
  now: () => Date;
  /** Called when a delivery is stored. */
  wake: () => void;
}

/** Whose delivery this is; undefined unless path and password belong together. */
export async function authenticate(
  { db, vault }: ReceiveDeps,
  delivery: { path: string; authorization: string },
): Promise<Connection | undefined> {
  const hash = vault.keyedHash('webhook-path', delivery.path);
  const connection = await acrossWorkspaces(db, (tx) => findConnectionByWebhookPath(tx, hash));
  const password = connection && openSecret(vault, connection, 'webhook_password');
  // an unknown path is compared all the same, so that it takes as long as a wrong password
  const expected = basicAuthorization(WEBHOOK_USER, password ?? hash);
  return isSameSecret(delivery.authorization, expected) && password !== undefined
    ? connection
    : undefined;
}

/** Keeps a delivery as it came, sealed. While a connection is switched off nothing is kept. */
export async function storeDelivery(
  { db, vault, now, wake }: ReceiveDeps,
  connection: Connection,
  body: string,
): Promise<void> {
  if (connection.status === 'DISABLED') return;
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
