import type {
  ConnectionId,
  PipedriveObject,
  WebhookReceiptId,
  WorkspaceId,
} from '@manifold/contracts';
import { sql } from 'kysely';
import type { Db } from '../store.ts';
import type { WebhookReceipt } from './tables.ts';

export async function insertReceipt(
  tx: Db,
  receipt: Pick<WebhookReceipt, 'workspace_id' | 'id' | 'connection_id' | 'body' | 'received_at'>,
): Promise<void> {
  await tx
    .insertInto('webhook_receipt')
    .values({
      ...receipt,
      state: 'received',
      record: null,
      meta_id: null,
      object: null,
      pipedrive_id: null,
      attempts: 0,
      not_before: receipt.received_at,
    })
    .execute();
}

/** Connections that are not switched off and have deliveries to understand: only across workspaces. */
export async function listConnectionsWithReceipts(
  tx: Db,
  now: Date,
): Promise<{ workspace_id: WorkspaceId; connection_id: ConnectionId }[]> {
  return tx
    .selectFrom('webhook_receipt as receipt')
    .innerJoin('connection', (join) =>
      join
        .onRef('connection.workspace_id', '=', 'receipt.workspace_id')
        .onRef('connection.id', '=', 'receipt.connection_id'),
    )
    .select(['receipt.workspace_id', 'receipt.connection_id'])
    .distinct()
    .where('receipt.state', '=', 'received')
    .where('receipt.not_before', '<=', now)
    .where('connection.status', '!=', 'DISABLED')
    .limit(50)
    .execute();
}

/** True when no other replica is at this connection's deliveries; held until the transaction ends. */
export async function tryLockReceipts(tx: Db, connectionId: ConnectionId): Promise<boolean> {
  const { rows } = await sql<{ held: boolean }>`select pg_try_advisory_xact_lock(
    hashtextextended(${`receipts|${connectionId}`}, 0)) as held`.execute(tx);
  return rows[0]?.held === true;
}

/** The oldest deliveries of a connection that may be understood now, in the order they came. */
export async function listReceived(
  tx: Db,
  wanted: { workspaceId: WorkspaceId; connectionId: ConnectionId; now: Date; limit: number },
): Promise<WebhookReceipt[]> {
  return tx
    .selectFrom('webhook_receipt')
    .selectAll()
    .where('workspace_id', '=', wanted.workspaceId)
    .where('connection_id', '=', wanted.connectionId)
    .where('state', '=', 'received')
    .where('not_before', '<=', wanted.now)
    .orderBy('id')
    .limit(wanted.limit)
    .execute();
}

export async function findReceiptByEvent(
  tx: Db,
  event: { workspaceId: WorkspaceId; connectionId: ConnectionId; metaId: string },
): Promise<{ id: WebhookReceiptId } | undefined> {
  return tx
    .selectFrom('webhook_receipt')
    .select('id')
    .where('workspace_id', '=', event.workspaceId)
    .where('connection_id', '=', event.connectionId)
    .where('meta_id', '=', event.metaId)
    .executeTakeFirst();
}

/** The end of a delivery; its body goes with it. */
export async function settleReceipt(
  tx: Db,
  receipt: Pick<WebhookReceipt, 'workspace_id' | 'id'>,
  end:
    | { state: 'repeated' | 'ignored' | 'parked' }
    | {
        state: 'understood';
        record: string;
        meta_id: string;
        object: PipedriveObject;
        pipedrive_id: string;
      },
): Promise<void> {
  await tx
    .updateTable('webhook_receipt')
    .set({ ...end, body: null })
    .where('workspace_id', '=', receipt.workspace_id)
    .where('id', '=', receipt.id)
    .execute();
}

export async function postponeReceipt(
  tx: Db,
  receipt: Pick<WebhookReceipt, 'workspace_id' | 'id'>,
  { attempts, notBefore }: { attempts: number; notBefore: Date },
): Promise<void> {
  await tx
    .updateTable('webhook_receipt')
    .set({ attempts, not_before: notBefore })
    .where('workspace_id', '=', receipt.workspace_id)
    .where('id', '=', receipt.id)
    .execute();
}

export async function listReceipts(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly WebhookReceiptId[],
): Promise<WebhookReceipt[]> {
  return tx
    .selectFrom('webhook_receipt')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', ids)
    .execute();
}

/** Removes old deliveries, a bounded number at a time; returns how many: only across workspaces. */
export async function removeOldReceipts(tx: Db, before: Date, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`delete from webhook_receipt where (workspace_id, id) in (
    select workspace_id, id from webhook_receipt where received_at < ${before} limit ${limit})`.execute(
    tx,
  );
  return Number(numAffectedRows ?? 0);
}

export async function removeReceipts(
  tx: Db,
  workspaceId: WorkspaceId,
  connectionId: ConnectionId,
): Promise<void> {
  await tx
    .deleteFrom('webhook_receipt')
    .where('workspace_id', '=', workspaceId)
    .where('connection_id', '=', connectionId)
    .execute();
}
