import type { SQLInputValue } from 'node:sqlite';
import type { Cursor } from '../http/paging.ts';
import { type JsonObject, parseObject, textOf } from '../json.ts';
import type { Database } from '../store/database.ts';
import type { RecordEntity, StoredRecord } from './record.ts';

/** A record as it lies in the table: both halves still text. */
export interface RecordRow {
  id: number;
  add_time: string;
  update_time: string;
  deleted: number;
  base: string;
  custom: string;
  revision: number;
}

const COLUMNS = 'id, add_time, update_time, deleted, base, custom, revision';

export function findRecordRow(
  db: Database,
  entity: RecordEntity,
  id: number,
): RecordRow | undefined {
  return db.find(`select ${COLUMNS} from ${entity} where id = ?`, id);
}

export function readRecord(row: RecordRow): StoredRecord {
  const { id, deleted, base, custom } = row;
  return { id, base: parseObject(base), custom: parseObject(custom), deleted: deleted === 1 };
}

export interface ListFilter {
  ids?: number[];
  ownerId?: number;
  orgId?: number;
  updatedSince?: string;
  updatedUntil?: string;
  sortBy: 'id' | 'update_time' | 'add_time';
  descending: boolean;
  after?: Cursor;
  limit: number;
}

/** One page of undeleted records in keyset order. */
export function listRecordRows(
  db: Database,
  entity: RecordEntity,
  filter: ListFilter,
): RecordRow[] {
  const conditions = ['deleted = 0'];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...more: SQLInputValue[]) => {
    conditions.push(condition);
    values.push(...more);
  };
  if (filter.ids !== undefined)
    add('id in (select value from json_each(?))', JSON.stringify(filter.ids));
  if (filter.ownerId !== undefined) add('owner_id = ?', filter.ownerId);
  if (filter.orgId !== undefined) add('org_id = ?', filter.orgId);
  if (filter.updatedSince !== undefined) add('update_time >= ?', filter.updatedSince);
  if (filter.updatedUntil !== undefined) add('update_time < ?', filter.updatedUntil);

  const beyond = filter.descending ? '<' : '>';
  if (filter.after !== undefined && filter.sortBy === 'id') add(`id ${beyond} ?`, filter.after.id);
  else if (filter.after !== undefined)
    add(`(${filter.sortBy}, id) ${beyond} (?, ?)`, filter.after.value, filter.after.id);

  const direction = filter.descending ? 'desc' : 'asc';
  const sort = filter.sortBy === 'id' ? '' : `${filter.sortBy} ${direction}, `;
  return db.list(
    `select ${COLUMNS} from ${entity} where ${conditions.join(' and ')}
     order by ${sort}id ${direction} limit ?`,
    ...values,
    filter.limit,
  );
}

export function nextRecordId(db: Database, entity: RecordEntity): number {
  const row = db.find<{ id: number | null }>(`select max(id) as id from ${entity}`);
  return (row?.id ?? 0) + 1;
}

/** Inserts or replaces; the columns beside the text are taken from it. */
export function saveRecord(
  db: Database,
  entity: RecordEntity,
  record: { base: JsonObject; custom: JsonObject; revision: number },
): void {
  const { base, custom, revision } = record;
  db.run(
    `insert or replace into ${entity}
       (id, owner_id, org_id, add_time, update_time, deleted, base, custom, revision)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    Number(base.id),
    Number(base.owner_id),
    base.org_id === null || base.org_id === undefined ? null : Number(base.org_id),
    textOf(base.add_time),
    textOf(base.update_time),
    base.is_deleted === true ? 1 : 0,
    JSON.stringify(base),
    JSON.stringify(custom),
    revision,
  );
}

export function countRecords(db: Database, entity: RecordEntity): number {
  const sql = `select count(*) as count from ${entity} where deleted = 0`;
  return db.find<{ count: number }>(sql)?.count ?? 0;
}
