import { randomUUID } from 'node:crypto';
import type { ApiRequest, Handlers } from '../http/api-request.ts';
import { notFound } from '../http/problem.ts';
import { data } from '../http/reply.ts';
import { isObject, type JsonObject, parseObject } from '../json.ts';
import type { Database } from '../store/database.ts';
import type { World } from '../world.ts';

const FIRST_LABELS = [
  { name: 'Hot', color: 'red' },
  { name: 'Warm', color: 'yellow' },
  { name: 'Cold', color: 'blue' },
];

export const leadLabelHandlers: Handlers = {
  'v1 getLeadLabels': (_, world) => data(listLabels(world.db)),
  'v1 addLeadLabel': addLabel,
  'v1 updateLeadLabel': updateLabel,
  'v1 deleteLeadLabel': deleteLabel,
};

export function seedLabels(db: Database, now: Date): void {
  if (db.find('select 1 from lead_label limit 1') !== undefined) return;
  for (const label of FIRST_LABELS) insertLabel(db, label, now);
}

export function listLabels(db: Database): JsonObject[] {
  const rows = db.list<{ data: string }>('select data from lead_label order by position');
  return rows.map((row) => parseObject(row.data));
}

function insertLabel(db: Database, label: JsonObject, now: Date): JsonObject {
  const time = now.toISOString();
  const stored = { id: randomUUID(), ...label, add_time: time, update_time: time };
  const sql = 'insert into lead_label (id, data) values (?, ?)';
  db.run(sql, stored.id, JSON.stringify(stored));
  return stored;
}

function addLabel({ body }: ApiRequest, { db, now }: World) {
  const { name = '', color = '' } = isObject(body) ? body : {};
  return data(insertLabel(db, { name, color }, now()));
}

function updateLabel({ params, body }: ApiRequest, { db, now }: World) {
  const label = requireLabel(db, params.id);
  const change = isObject(body) ? body : {};
  const changed = { ...label, ...change, update_time: now().toISOString() };
  const sql = 'update lead_label set data = ? where id = ?';
  db.run(sql, JSON.stringify(changed), String(params.id));
  return data(changed);
}

function deleteLabel({ params }: ApiRequest, { db }: World) {
  requireLabel(db, params.id);
  db.run('delete from lead_label where id = ?', String(params.id));
  return data({ id: String(params.id) });
}

function requireLabel(db: Database, id: string | undefined): JsonObject {
  const label = listLabels(db).find((item) => item.id === id);
  if (label === undefined) throw notFound('requested lead label not found');
  return label;
}
