import type { ConnectionId, WebhookReceiptId, WorkspaceId } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import type { Telling } from './tellings/store.ts';
import type { WebhookReceipt } from './tables.ts';

export async function insertReceipt(
  tx: Db,
  receipt: Pick<WebhookReceipt, 'workspace_id' | 'id' | 'connection_id' | 'body' | 'received_at'>,
): Promise<void> {
  await tx
    .insertInto('webhook_receipt')
    .values({
      ...receipt,
      kind: 'webhook',
      state: 'received',
      record: null,
      meta_id: null,
      object: null,
      pipedrive_id: null,
      action: null,
      revision: null,
      told_for: [],
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
  return (
    tx
      .selectFrom('webhook_receipt as receipt')
      .innerJoin('connection', (join) =>
        join
          .onRef('connection.workspace_id', '=', 'receipt.workspace_id')
          .onRef('connection.id', '=', 'receipt.connection_id'),
      )
      .select(['receipt.workspace_id', 'receipt.connection_id'])
      .groupBy(['receipt.workspace_id', 'receipt.connection_id'])
      .where('receipt.state', '=', 'received')
      .where('receipt.not_before', '<=', now)
      .where('connection.status', '!=', 'DISABLED')
      // whoever waited longest comes first, so that nobody waits for ever
      .orderBy((eb) => eb.fn.min('receipt.not_before'))
      .limit(50)
      .execute()
  );
}

/**
 * True when no other replica is at this company's deliveries; held until the transaction ends. Of the
 * company, because two connections to it tell of the same records.
 */
export async function tryLockReceipts(
  tx: Db,
  { workspace_id, company_id }: Pick<Connection, 'workspace_id' | 'company_id'>,
): Promise<boolean> {
  const { rows } = await sql<{ held: boolean }>`select pg_try_advisory_xact_lock(
    hashtextextended(${`receipts|${workspace_id}|${company_id}`}, 0)) as held`.execute(tx);
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

/** The end of a delivery; its body goes with it, unless somebody may want it looked at again. */
export async function settleReceipt(
  tx: Db,
  receipt: Pick<WebhookReceipt, 'workspace_id' | 'id'>,
  end:
    | { state: 'repeated' | 'ignored' | 'parked' }
    | ({ state: 'understood'; record: string; told_for: ConnectionId[] } & Telling)
    | ({ state: 'superseded' } & Telling),
): Promise<void> {
  await tx
    .updateTable('webhook_receipt')
    .set(end.state === 'parked' ? end : { ...end, body: null })
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

/** Has the oldest parked deliveries of a connection looked at again; returns how many. */
export async function redriveReceipts(
  tx: Db,
  of: { workspaceId: WorkspaceId; connectionId: ConnectionId; now: Date; limit: number },
): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('webhook_receipt')
    .set({ state: 'received', attempts: 0, not_before: of.now })
    .where('workspace_id', '=', of.workspaceId)
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('webhook_receipt')
        .select('id')
        .where('workspace_id', '=', of.workspaceId)
        .where('connection_id', '=', of.connectionId)
        .where('state', '=', 'parked')
        .where('body', 'is not', null)
        .orderBy('id')
        .limit(of.limit)
        .forUpdate(),
    )
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Removes deliveries of a connection, a bounded number at a time; returns how many. */
export async function removeReceipts(
  tx: Db,
  workspaceId: WorkspaceId,
  connectionId: ConnectionId,
  limit: number,
): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('webhook_receipt')
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('webhook_receipt')
        .select('id')
        .where('workspace_id', '=', workspaceId)
        .where('connection_id', '=', connectionId)
        .limit(limit),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
