import { type FieldDefinition, MessageParked, type ReasonCode } from '@manifold/contracts';
import { publish } from '@manifold/messaging';
import { normaliseWebhook, type WebhookEvent } from '@manifold/pipedrive';
import type { Connection } from '../accounts/tables.ts';
import type { Catalogue } from '../fields/store.ts';
import type { Tx } from '../store.ts';
import { receiptPlace } from './commands.ts';
import { findHealth, hastenCheck } from './health/store.ts';
import { decideUnknown, hasPlausibleIds, isOfSubscription, retryAt } from './rules.ts';
import { postponeReceipt, settleReceipt } from './store.ts';
import type { WebhookReceipt } from './tables.ts';
import { tellChange, type TellingDeps } from './telling.ts';

/** Turns one stored delivery into `record_changed`, or finds out that there is nothing to tell. */
export async function understandReceipt(
  deps: TellingDeps,
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
    case 'understood':
      return understandEvent(deps, tx, { receipt, connection, event: reading.event, catalogues });
  }
}

async function understandEvent(
  deps: TellingDeps,
  tx: Tx,
  seen: {
    receipt: WebhookReceipt;
    connection: Connection;
    event: WebhookEvent;
    catalogues: ReadonlyMap<string, Catalogue>;
  },
): Promise<void> {
  const { receipt, connection, event, catalogues } = seen;
  const now = deps.now();
  if (!hasPlausibleIds(event)) {
    return parkReceipt(tx, receipt, { reason: 'message_unreadable', now });
  }
  if (event.companyId !== connection.company_id) {
    return parkReceipt(tx, receipt, { reason: 'company_mismatch', now });
  }
  const health = await findHealth(tx, connection.id);
  if (!isOfSubscription(event, [connection.webhook_id, health?.previous_id])) {
    const { next, checkAt } = decideUnknown(receipt, health, now);
    if (checkAt !== undefined) await hastenCheck(tx, connection, checkAt);
    const attempts = receipt.attempts + 1;
    return next === 'wait'
      ? postponeReceipt(tx, receipt, { attempts, notBefore: retryAt(attempts, now) })
      : parkReceipt(tx, receipt, { reason: 'webhook_unknown', now });
  }
  const catalogue = catalogues.get(event.object);
  await tellChange(deps, tx, { connection, event, catalogue, receiptId: receipt.id });
}

const bodyOf = ({ vault }: TellingDeps, receipt: WebhookReceipt): unknown =>
  receipt.body === null
    ? undefined
    : JSON.parse(vault.unseal(receiptPlace(receipt, 'body'), receipt.body));

const definitionsIn = (catalogues: ReadonlyMap<string, Catalogue>): FieldDefinition[] =>
  [...catalogues.values()].flatMap(({ fields }) => fields);

/** Nothing can be made of it: says so, for a person to look at. The body stays as long as any, so that it can be tried again. */
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
