import type { JsonObject } from '../json.ts';
import { parseObject } from '../json.ts';
import type { Database } from '../store/database.ts';

/** A registered webhook. `clientId` is set on those an app made. */
export interface Subscription {
  id: number;
  ownerId: number;
  clientId: string | null;
  action: string;
  object: string;
  /** As `/v1/webhooks` serves it. */
  data: JsonObject;
}

interface Row {
  id: number;
  owner_id: number;
  client_id: string | null;
  action: string;
  object: string;
  data: string;
}

const COLUMNS = 'id, owner_id, client_id, action, object, data';

export function listSubscriptions(db: Database): Subscription[] {
  return db.list<Row>(`select ${COLUMNS} from webhook order by id`).map(readRow);
}

export function findSubscription(db: Database, id: number): Subscription | undefined {
  const row = db.find<Row>(`select ${COLUMNS} from webhook where id = ?`, id);
  return row && readRow(row);
}

export function insertSubscription(
  db: Database,
  subscription: Omit<Subscription, 'id'>,
): Subscription {
  const { ownerId, clientId, action, object, data } = subscription;
  const sql =
    'insert into webhook (owner_id, client_id, action, object, data) values (?, ?, ?, ?, ?)';
  const { id } = db.run(sql, ownerId, clientId, action, object, JSON.stringify(data));
  return { ...subscription, id };
}

export function saveSubscriptionData(db: Database, id: number, data: JsonObject): void {
  db.run('update webhook set data = ? where id = ?', JSON.stringify(data), id);
}

/** Deletes a webhook and whatever still waits to be delivered to it. */
export function removeSubscription(db: Database, id: number): void {
  db.run('delete from webhook where id = ?', id);
  db.run("update delivery set state = 'dropped' where webhook_id = ? and state = 'waiting'", id);
}

function readRow(row: Row): Subscription {
  return {
    id: row.id,
    ownerId: row.owner_id,
    clientId: row.client_id,
    action: row.action,
    object: row.object,
    data: parseObject(row.data),
  };
}
