import {
  type FieldDefinition,
  MessageParked,
  type ReasonCode,
  RecordChanged,
  type WebhookReceiptId,
} from '@manifold/contracts';
import { publish } from '@manifold/messaging';
import { normaliseWebhook, type WebhookEvent } from '@manifold/pipedrive';
import type { Connection } from '../accounts/tables.ts';
import { noticeFields } from '../fields/commands.ts';
import type { Catalogue } from '../fields/store.ts';
import type { Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { receiptPlace } from './commands.ts';
import { describeChange } from './rules.ts';
import { findReceiptByEvent, settleReceipt } from './store.ts';
import type { WebhookReceipt } from './tables.ts';

/** A change Pipedrive told of, for whoever keeps something about the record. */
export interface HeardChange {
  connection: Connection;
  receiptId: WebhookReceiptId;
  event: WebhookEvent;
  now: Date;
}

export interface UnderstandDeps {
  vault: Vault;
  now: () => Date;
  /** Follows the change in links and open writes, in the same transaction; true for our own echo. */
  follow: (tx: Tx, change: HeardChange) => Promise<boolean>;
}

/** Turns one stored delivery into `record_changed`, or finds out that there is nothing to tell. */
export async function understandReceipt(
  deps: UnderstandDeps,
  tx: Tx,
  seen: {
    receipt: WebhookReceipt;
    connection: Connection;
    catalogues: ReadonlyMap<string, Catalogue>;
  },
): Promise<void> {
  const { receipt, connection, catalogues } = seen;
  const reading = normaliseWebhook(bodyOf(deps, receipt), definitionsIn(catalogues));
  switch (reading.outcome) {
    case 'malformed':
      return parkReceipt(tx, receipt, { reason: 'message_unreadable', now: deps.now() });
    case 'foreign_object':
      return settleReceipt(tx, receipt, { state: 'ignored' });
    case 'understood': {
      const { event } = reading;
      if (event.companyId !== connection.company_id) {
        return parkReceipt(tx, receipt, { reason: 'company_mismatch', now: deps.now() });
      }
      const catalogue = catalogues.get(event.object);
      return tellChange(deps, tx, { receipt, connection, event, catalogue });
    }
  }
}

const bodyOf = ({ vault }: UnderstandDeps, receipt: WebhookReceipt): unknown =>
  receipt.body === null
    ? undefined
    : JSON.parse(vault.unseal(receiptPlace(receipt, 'body'), receipt.body));

const definitionsIn = (catalogues: ReadonlyMap<string, Catalogue>): FieldDefinition[] =>
  [...catalogues.values()].flatMap(({ fields }) => fields);

async function tellChange(
  deps: UnderstandDeps,
  tx: Tx,
  told: {
    receipt: WebhookReceipt;
    connection: Connection;
    event: WebhookEvent;
    catalogue: Catalogue | undefined;
  },
): Promise<void> {
  const { receipt, connection, event, catalogue } = told;
  const { workspace_id: workspaceId, id: receiptId, connection_id: connectionId } = receipt;
  const now = deps.now();
  const known = { workspaceId, connectionId, metaId: event.id };
  if (await findReceiptByEvent(tx, known)) {
    return settleReceipt(tx, receipt, { state: 'repeated' });
  }
  const { object, record } = event;
  await settleReceipt(tx, receipt, {
    state: 'understood',
    record: deps.vault.seal(receiptPlace(receipt, 'record'), JSON.stringify(record)),
    meta_id: event.id,
    object,
    pipedrive_id: event.recordId,
  });
  const keys = Object.keys(record.fields);
  await noticeFields(tx, { connectionId, object, keys, catalogue, now });
  const isEcho = await deps.follow(tx, { connection, receiptId, event, now });
  await publish(tx, RecordChanged, {
    origin: {
      workspaceId,
      actor: { kind: 'pipedrive', id: event.userId ?? connection.pipedrive_user_id },
      correlationId: (event.correlationId ?? receiptId).slice(0, 64) || receiptId,
    },
    key: `${connectionId}|${object}|${event.recordId}`,
    payload: {
      connectionId,
      receiptId,
      object,
      pipedriveId: event.recordId,
      ...describeChange(event),
      origin: isEcho ? 'manifold' : 'pipedrive',
    },
    now,
  });
}

/** Nothing can be made of it: says so, for a person to look at. The body is not kept. */
export async function parkReceipt(
  tx: Tx,
  receipt: WebhookReceipt,
  { reason, now }: { reason: ReasonCode; now: Date },
): Promise<void> {
  await settleReceipt(tx, receipt, { state: 'parked' });
  await publish(tx, MessageParked.connections, {
    origin: {
      workspaceId: receipt.workspace_id,
      actor: { kind: 'service', id: 'connections' },
      correlationId: receipt.id,
    },
    key: receipt.id,
    payload: {
      messageId: receipt.id,
      messageName: 'pipedrive.webhook',
      reason,
      attempts: receipt.attempts + 1,
    },
    now,
  });
}
