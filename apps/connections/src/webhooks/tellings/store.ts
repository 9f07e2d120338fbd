import type { ConnectionId, PipedriveObject, WorkspaceId } from '@manifold/contracts';
import type { Db } from '../../store.ts';
import type { ChangeAction, WebhookReceipt } from '../tables.ts';

/** What was told of a record, and by which revision. */
export interface Telling {
  meta_id: string;
  object: PipedriveObject;
  pipedrive_id: string;
  action: ChangeAction;
  revision: string;
}

/** A change nobody delivered: told all the same, with the record as it was read. */
export async function insertReadReceipt(
  tx: Db,
  receipt: Pick<
    WebhookReceipt,
    'workspace_id' | 'id' | 'connection_id' | 'record' | 'received_at'
  > &
    Telling,
): Promise<void> {
  await tx
    .insertInto('webhook_receipt')
    .values({
      ...receipt,
      kind: 'read',
      state: 'understood',
      body: null,
      attempts: 0,
      not_before: receipt.received_at,
    })
    .execute();
}

/** The newest that was told of a record within the last week. */
export async function findNewestTelling(
  tx: Db,
  record: {
    workspaceId: WorkspaceId;
    connectionId: ConnectionId;
    object: PipedriveObject;
    pipedriveId: string;
  },
): Promise<{ action: ChangeAction | null; revision: string | null } | undefined> {
  return tx
    .selectFrom('webhook_receipt')
    .select(['action', 'revision'])
    .where('workspace_id', '=', record.workspaceId)
    .where('connection_id', '=', record.connectionId)
    .where('object', '=', record.object)
    .where('pipedrive_id', '=', record.pipedriveId)
    .where('state', '=', 'understood')
    .where('revision', 'is not', null)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst();
}
