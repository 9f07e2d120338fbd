import type { JsonObject } from '../json.ts';
import { parseObject } from '../json.ts';
import type { Database } from '../store/database.ts';
import { findHealth, isBanned } from './health.ts';

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

/** As `/v1/webhooks` shows it: a banned one is not active. */
export function describeSubscription(db: Database, hook: Subscription, now: Date): JsonObject {
  const banned = isBanned(findHealth(db, hook.id), now.getTime());
  return banned ? { ...hook.data, is_active: 0 } : hook.data;
}

export function isRemoved({ data }: Subscription): boolean {
  return data.remove_time !== null && data.remove_time !== undefined;
}

/** Pipedrive gives a webhook up after days without a success: it hears of nothing more and its entry says why. */
export function retireSubscription(db: Database, id: number, at: Date): void {
  const hook = findSubscription(db, id);
  if (hook === undefined) return;
  const remove_reason = 'No successful deliveries in 3 days';
  const gone = { is_active: 0, remove_time: at.toISOString(), remove_reason };
  saveSubscriptionData(db, id, { ...hook.data, ...gone });
  db.run("update delivery set state = 'dropped' where webhook_id = ? and state = 'waiting'", id);
}

/** Deletes a webhook and whatever still waits to be delivered to it. */
export function removeSubscription(db: Database, id: number): void {
  db.run('delete from webhook where id = ?', id);
  db.run('delete from webhook_health where webhook_id = ?', id);
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
