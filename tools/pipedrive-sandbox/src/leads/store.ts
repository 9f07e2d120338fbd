import type { SQLInputValue } from 'node:sqlite';
import { type JsonObject, parseObject, textOf } from '../json.ts';
import type { Database } from '../store/database.ts';

/** A lead: `base` as v1 serves it, `custom` nested as v2 would, set values only. */
export interface Lead {
  base: JsonObject;
  custom: JsonObject;
}

interface Row {
  base: string;
  custom: string;
}

export function findLead(db: Database, id: string): Lead | undefined {
  const row = db.find<Row>('select base, custom from lead where id = ? and deleted = 0', id);
  return row && readRow(row);
}

export interface LeadFilter {
  archived: boolean;
  ownerId?: number;
  personId?: number;
  organizationId?: number;
  updatedSince?: string;
  sort: string;
  start: number;
  limit: number;
}

/** `sort` must be one of the table's own columns with a direction. */
export function listLeads(db: Database, filter: LeadFilter): Lead[] {
  const conditions = ['deleted = 0', 'archived = ?'];
  const values: SQLInputValue[] = [filter.archived ? 1 : 0];
  const columns: [string, number | string | undefined][] = [
    ['owner_id =', filter.ownerId],
    ['person_id =', filter.personId],
    ['organization_id =', filter.organizationId],
    ['update_time >=', filter.updatedSince],
  ];
  for (const [condition, value] of columns) {
    if (value === undefined) continue;
    conditions.push(`${condition} ?`);
    values.push(value);
  }
  const sql = `select base, custom from lead where ${conditions.join(' and ')}
    order by ${filter.sort} limit ? offset ?`;
  return db.list<Row>(sql, ...values, filter.limit, filter.start).map(readRow);
}

export function insertLead(db: Database, lead: Lead): void {
  db.run(
    `insert into lead
       (id, owner_id, person_id, organization_id, archived, add_time, update_time, base, custom)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    textOf(lead.base.id),
    ...columnsOf(lead),
  );
}

export function saveLead(db: Database, lead: Lead): void {
  db.run(
    `update lead set owner_id = ?, person_id = ?, organization_id = ?, archived = ?, add_time = ?,
       update_time = ?, base = ?, custom = ? where id = ?`,
    ...columnsOf(lead),
    textOf(lead.base.id),
  );
}

export function removeLead(db: Database, id: string): void {
  db.run('update lead set deleted = 1 where id = ?', id);
}

export function countLeads(db: Database): number {
  const sql = 'select count(*) as count from lead where deleted = 0';
  return db.find<{ count: number }>(sql)?.count ?? 0;
}

function columnsOf({ base, custom }: Lead): SQLInputValue[] {
  return [
    reference(base.owner_id),
    reference(base.person_id),
    reference(base.organization_id),
    base.is_archived === true ? 1 : 0,
    textOf(base.add_time),
    textOf(base.update_time),
    JSON.stringify(base),
    JSON.stringify(custom),
  ];
}

function reference(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function readRow(row: Row): Lead {
  return { base: parseObject(row.base), custom: parseObject(row.custom) };
}
