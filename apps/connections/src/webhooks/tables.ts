import type {
  ConnectionId,
  PipedriveObject,
  WebhookReceiptId,
  WorkspaceId,
} from '@manifold/contracts';

/** One delivery of a webhook. Body and record are sealed, and kept 7 days at most. */
export interface WebhookReceiptTable {
  workspace_id: WorkspaceId;
  id: WebhookReceiptId;
  connection_id: ConnectionId;
  state: 'received' | 'understood' | 'repeated' | 'ignored' | 'parked';
  /** The delivery as it came; gone once it is understood. */
  body: string | null;
  /** The record in our one form, for `ReadReceipts`. */
  record: string | null;
  /** Pipedrive's id of the event, the same on every attempt to deliver it. */
  meta_id: string | null;
  object: PipedriveObject | null;
  pipedrive_id: string | null;
  attempts: number;
  not_before: Date;
  received_at: Date;
}

export interface WebhookTables {
  webhook_receipt: WebhookReceiptTable;
}

export type WebhookReceipt = WebhookReceiptTable;
