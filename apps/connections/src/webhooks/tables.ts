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
  /** `read`: nothing was delivered; a sweep found the change. */
  kind: 'webhook' | 'read';
  /** `superseded`: something newer of the same record was told before. */
  state: 'received' | 'understood' | 'repeated' | 'superseded' | 'ignored' | 'parked';
  /** The delivery as it came; gone once it is understood, kept while it is parked. */
  body: string | null;
  /** The record in our one form, for `ReadReceipts`. */
  record: string | null;
  /** Pipedrive's id of the event, the same on every attempt to deliver it. */
  meta_id: string | null;
  object: PipedriveObject | null;
  pipedrive_id: string | null;
  /** What was told of the record, and the revision it was told with. */
  action: ChangeAction | null;
  revision: string | null;
  /** The other connections of the company its event stands for. */
  told_for: ConnectionId[];
  attempts: number;
  not_before: Date;
  received_at: Date;
}

export type ChangeAction = 'created' | 'updated' | 'deleted' | 'merged';

/** How Pipedrive gets on with telling us, as it said when it was last asked. */
export interface WebhookHealthTable {
  workspace_id: WorkspaceId;
  /** Of the connection. */
  id: ConnectionId;
  state: 'UNKNOWN' | 'HEALTHY' | 'FAILING' | 'BANNED' | 'REMOVED' | 'MISSING';
  checked_at: Date | null;
  last_delivery_at: Date | null;
  last_status: number | null;
  /** Pipedrive sends nothing until then; null when it sends. */
  banned_until: Date | null;
  /** When the subscription was made anew because something was wrong with it. */
  repaired_at: Date | null;
  /** The subscription before this one, whose last deliveries may still come. */
  previous_id: string | null;
  /** The secret before this one, sealed, and until when it opens; null: until the new one is in use. */
  previous_password: string | null;
  previous_until: Date | null;
  /** Since when a new secret waits to be told to Pipedrive. */
  rotate_at: Date | null;
  due_at: Date;
}

/** Who changes a connection's subscription at the moment. */
export interface WebhookLeaseTable {
  workspace_id: WorkspaceId;
  /** Of the connection. */
  id: ConnectionId;
  holder: string;
  held_until: Date;
}

export interface WebhookTables {
  webhook_lease: WebhookLeaseTable;
  webhook_receipt: WebhookReceiptTable;
  webhook_health: WebhookHealthTable;
}

export type WebhookReceipt = WebhookReceiptTable;
export type WebhookHealth = WebhookHealthTable;
