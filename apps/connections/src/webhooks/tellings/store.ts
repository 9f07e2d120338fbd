import type { ConnectionId, PipedriveObject, WorkspaceId } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Connection } from '../../accounts/tables.ts';
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
    'workspace_id' | 'id' | 'connection_id' | 'record' | 'told_for' | 'received_at'
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

const isFor = (connectionId: ConnectionId) =>
  sql<boolean>`(connection_id = ${connectionId} or ${connectionId} = any(told_for))`;

/** The newest that was told of a record within the last week, to this connection or for it too. */
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
    .where(isFor(record.connectionId))
    .where('object', '=', record.object)
    .where('pipedrive_id', '=', record.pipedriveId)
    .where('state', '=', 'understood')
    .where('revision', 'is not', null)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Whether another connection's event told this change for this connection too. */
export async function isToldByAnother(
  tx: Db,
  change: { workspaceId: WorkspaceId; connectionId: ConnectionId } & Telling,
): Promise<boolean> {
  const told = await tx
    .selectFrom('webhook_receipt')
    .select('id')
    .where('workspace_id', '=', change.workspaceId)
    .where('object', '=', change.object)
    .where('pipedrive_id', '=', change.pipedrive_id)
    .where('state', '=', 'understood')
    .where(sql<boolean>`${change.connectionId} = any(told_for)`)
    .where((row) =>
      row.or([
        row('meta_id', '=', change.meta_id),
        row.and([row('action', '=', change.action), row('revision', '=', change.revision)]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return told !== undefined;
}

export type Hearer = Pick<Connection, 'id' | 'is_admin' | 'pipedrive_user_id'>;

/** The other connections to a company that are not switched off; few, since each is of another user. */
export async function listOtherConnections(
  tx: Db,
  { workspace_id, company_id, id }: Pick<Connection, 'workspace_id' | 'company_id' | 'id'>,
): Promise<Hearer[]> {
  return tx
    .selectFrom('connection')
    .select(['id', 'is_admin', 'pipedrive_user_id'])
    .where('workspace_id', '=', workspace_id)
    .where('company_id', '=', company_id)
    .where('id', '<>', id)
    .where('status', '<>', 'DISABLED')
    .where('established_at', 'is not', null)
    .orderBy('id')
    .limit(MOST_HEARERS)
    .execute();
}

/** Named in one event; who is not named is told by an own one. */
const MOST_HEARERS = 100;
