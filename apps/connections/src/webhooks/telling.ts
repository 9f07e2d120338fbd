import { RecordChanged, WebhookReceiptId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { publish } from '@manifold/messaging';
import type { WebhookEvent } from '@manifold/pipedrive';
import type { Connection } from '../accounts/tables.ts';
import { noticeFields } from '../fields/commands.ts';
import type { Catalogue } from '../fields/store.ts';
import type { Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { receiptPlace } from './commands.ts';
import { decideHearers, decideTelling, describeChange } from './rules.ts';
import { findReceiptByEvent, settleReceipt } from './store.ts';
import {
  findNewestTelling,
  insertReadReceipt,
  isToldByAnother,
  listOtherConnections,
  type Telling,
} from './tellings/store.ts';

/** A change in Pipedrive, for whoever keeps something about the record. */
export interface HeardChange {
  connection: Connection;
  receiptId: WebhookReceiptId;
  event: WebhookEvent;
  now: Date;
}

export interface TellingDeps {
  vault: Vault;
  now: () => Date;
  /** Follows the change in links and open writes, in the same transaction; true for our own echo. */
  follow: (tx: Tx, change: HeardChange) => Promise<boolean>;
  /** Keeps the registry of records true to a change that is told. */
  register: (tx: Tx, change: HeardChange) => Promise<void>;
}

interface Told {
  connection: Connection;
  event: WebhookEvent;
  catalogue: Catalogue | undefined;
  /** Of the delivery it came with; absent when it was read. */
  receiptId?: WebhookReceiptId;
}

/**
 * Tells of a change once, however, however often and through however many connections of the company
 * it was heard of; true when it was news.
 */
export async function tellChange(deps: TellingDeps, tx: Tx, told: Told): Promise<boolean> {
  const { connection, event } = told;
  const { workspace_id: workspaceId, id: connectionId } = connection;
  const known = { workspaceId, connectionId, metaId: event.id };
  if (await findReceiptByEvent(tx, known)) {
    await settle(tx, told, { state: 'repeated' });
    return false;
  }
  const { object, recordId: pipedriveId } = event;
  const change = describeChange(event);
  const newest = await findNewestTelling(tx, { workspaceId, connectionId, object, pipedriveId });
  const telling: Telling = {
    meta_id: event.id,
    object,
    pipedrive_id: pipedriveId,
    action: change.action,
    revision: String(change.revision),
  };
  if (await isToldByAnother(tx, { workspaceId, connectionId, ...telling })) {
    await settle(tx, told, { state: 'repeated' });
    return false;
  }
  if (decideTelling(newest, change) === 'superseded') {
    await settle(tx, told, { state: 'superseded', ...telling });
    await followSuperseded(deps, tx, told);
    await tellLoser(deps, tx, told);
    return false;
  }
  await keepAndPublish(deps, tx, { told, telling });
  await tellLoser(deps, tx, told);
  return true;
}

async function settle(
  tx: Tx,
  { connection, receiptId }: Told,
  end: Parameters<typeof settleReceipt>[2],
): Promise<void> {
  if (receiptId === undefined) return;
  await settleReceipt(tx, { workspace_id: connection.workspace_id, id: receiptId }, end);
}

/**
 * It may still be the one sign that a create of ours was carried out, or of where the links of a
 * record go that was found gone before; what was only deleted stays gone.
 */
async function followSuperseded(
  deps: TellingDeps,
  tx: Tx,
  { connection, event, receiptId }: Told,
): Promise<void> {
  const isMerge = event.action === 'delete' && event.mergedInto !== null;
  if (!isMerge && (event.action === 'delete' || receiptId === undefined)) return;
  const id = receiptId ?? newId('wh', WebhookReceiptId);
  await deps.follow(tx, { connection, receiptId: id, event, now: deps.now() });
}

async function keepAndPublish(
  deps: TellingDeps,
  tx: Tx,
  { told, telling }: { told: Told; telling: Telling },
): Promise<void> {
  const { connection, event, catalogue } = told;
  const { workspace_id: workspaceId, id: connectionId } = connection;
  const { object, record } = event;
  const now = deps.now();
  const receiptId = told.receiptId ?? newId('wh', WebhookReceiptId);
  const receipt = { workspace_id: workspaceId, id: receiptId };
  const sealed = deps.vault.seal(receiptPlace(receipt, 'record'), JSON.stringify(record));
  const others = decideHearers(await listOtherConnections(tx, connection), event);
  const kept = { record: sealed, told_for: others, ...telling };
  if (told.receiptId === undefined) {
    await insertReadReceipt(tx, {
      ...{ ...receipt, connection_id: connectionId, received_at: now },
      ...kept,
    });
  } else await settle(tx, told, { state: 'understood', ...kept });
  const keys = Object.keys(record.fields);
  await noticeFields(tx, { connectionId, object, keys, catalogue, now });
  const heard = { connection, receiptId, event, now };
  const isEcho = await deps.follow(tx, heard);
  await deps.register(tx, heard);
  await publish(tx, RecordChanged, {
    origin: {
      workspaceId,
      actor: { kind: 'pipedrive', id: event.userId ?? connection.pipedrive_user_id },
      correlationId: (event.correlationId ?? receiptId).slice(0, 64) || receiptId,
    },
    // of the company, because any of its connections may tell the next change
    key: `${connection.company_id}|${object}|${event.recordId}`,
    payload: {
      connectionId,
      receiptId,
      object,
      pipedriveId: event.recordId,
      ...describeChange(event),
      origin: isEcho ? 'manifold' : 'pipedrive',
      ...(others.length === 0 ? {} : { otherConnectionIds: others }),
    },
    now,
  });
}

/** The survivor of a merge says who lost it, which is told in case the loser's own delivery is lost. */
async function tellLoser(deps: TellingDeps, tx: Tx, { connection, event }: Told): Promise<void> {
  const loser = event.mergedFrom;
  if (loser === null || event.action === 'delete' || loser === event.recordId) return;
  const { object, record } = event;
  await tellChange(deps, tx, {
    connection,
    catalogue: undefined,
    event: {
      ...event,
      id: `merged:${object}:${loser}:${event.recordId}`,
      action: 'delete',
      recordId: loser,
      mergedInto: event.recordId,
      mergedFrom: null,
      record: { ...record, id: loser, deleted: true, fields: {} },
      previous: null,
    },
  });
}
