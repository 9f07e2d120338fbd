import type { Database } from '../store/database.ts';

/** One event on its way to one webhook. */
export interface Delivery {
  id: number;
  webhook_id: number;
  event: string;
  entity_id: string;
  state: 'waiting' | 'delivered' | 'dropped';
  attempt: number;
  due_ms: number;
  status: number | null;
  payload: string;
}

const COLUMNS = 'id, webhook_id, event, entity_id, state, attempt, due_ms, status, payload';

export function listDue(db: Database, nowMs: number, limit: number): Delivery[] {
  const sql = `select ${COLUMNS} from delivery where state = 'waiting' and due_ms <= ? order by due_ms, id limit ?`;
  return db.list(sql, nowMs, limit);
}

/** When the next attempt falls due that is not due yet. */
export function nextDue(db: Database, nowMs: number): number | undefined {
  const sql = "select min(due_ms) as due from delivery where state = 'waiting' and due_ms > ?";
  return db.find<{ due: number | null }>(sql, nowMs)?.due ?? undefined;
}

export function finishDelivery(
  db: Database,
  { id }: Delivery,
  state: 'delivered' | 'dropped',
  status: number | null,
): void {
  db.run('update delivery set state = ?, status = ? where id = ?', state, status, id);
}

export function postpone(
  db: Database,
  { id, attempt }: Delivery,
  next: { dueMs: number; status: number | null },
): void {
  const sql = 'update delivery set attempt = ?, due_ms = ?, status = ? where id = ?';
  db.run(sql, attempt + 1, next.dueMs, next.status, id);
}

/** Moves the same attempt to another time. */
export function putOff(db: Database, id: number, dueMs: number): void {
  db.run("update delivery set due_ms = ? where id = ? and state = 'waiting'", dueMs, id);
}

/** The newest deliveries, without their payloads. */
export function listDeliveries(db: Database, limit: number): Omit<Delivery, 'payload'>[] {
  const columns = COLUMNS.replace(', payload', '');
  return db.list(`select ${columns} from delivery order by id desc limit ?`, limit);
}
