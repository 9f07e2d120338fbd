import type { SQLInputValue } from 'node:sqlite';
import { type JsonObject, parseObject, textOf } from '../json.ts';
import type { Database } from '../store/database.ts';

export function findNote(db: Database, id: number): JsonObject | undefined {
  const row = db.find<{ base: string }>('select base from note where id = ?', id);
  return row && parseObject(row.base);
}

export interface NoteFilter {
  /** By column, and by pin. */
  equal: [column: string, value: number | string][];
  updatedSince?: string;
  addedFrom?: string;
  addedUntil?: string;
  sort: string;
  start: number;
  limit: number;
}

/** `equal` and `sort` name the table's own columns, and pins as they lie in the text. */
export function listNotes(db: Database, filter: NoteFilter): JsonObject[] {
  const conditions = ['active = 1'];
  const values: SQLInputValue[] = [];
  const add = (condition: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  for (const [column, value] of filter.equal) add(`${column} = ?`, value);
  add('update_time >= ?', filter.updatedSince);
  add('add_time >= ?', filter.addedFrom);
  add('add_time <= ?', filter.addedUntil);
  const sql = `select base from note where ${conditions.join(' and ')}
    order by ${filter.sort} limit ? offset ?`;
  const rows = db.list<{ base: string }>(sql, ...values, filter.limit, filter.start);
  return rows.map((row) => parseObject(row.base));
}

/** The living notes of a record, for search and for merging. */
export function listNotesOf(db: Database, column: string, id: number | string): JsonObject[] {
  const sql = `select base from note where active = 1 and ${column} = ? order by id`;
  return db.list<{ base: string }>(sql, id).map((row) => parseObject(row.base));
}

export function nextNoteId(db: Database): number {
  return (db.find<{ id: number | null }>('select max(id) as id from note')?.id ?? 0) + 1;
}

/** Inserts or replaces. */
export function saveNote(db: Database, base: JsonObject): void {
  const reference = (key: string) => (typeof base[key] === 'number' ? base[key] : null);
  db.run(
    `insert or replace into note
       (id, user_id, deal_id, person_id, org_id, lead_id, active, add_time, update_time, base)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    Number(base.id),
    Number(base.user_id),
    reference('deal_id'),
    reference('person_id'),
    reference('org_id'),
    typeof base.lead_id === 'string' ? base.lead_id : null,
    base.active_flag === true ? 1 : 0,
    textOf(base.add_time),
    textOf(base.update_time),
    JSON.stringify(base),
  );
}

export function countNotes(db: Database): number {
  const sql = 'select count(*) as count from note where active = 1';
  return db.find<{ count: number }>(sql)?.count ?? 0;
}
