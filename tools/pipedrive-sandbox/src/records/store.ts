import type { SQLInputValue } from 'node:sqlite';
import type { Cursor } from '../http/paging.ts';
import { type Json, type JsonObject, parseObject, textOf } from '../json.ts';
import type { Database } from '../store/database.ts';
import { findSetting } from '../store/settings.ts';
import { COLUMNS, RECORD_ENTITIES, type RecordEntity, TEXT_COLUMNS } from './entities.ts';
import type { StoredRecord } from './kind.ts';

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

const PARTS = 'id, add_time, update_time, deleted, base, custom, revision';

export function findRecordRow(
  db: Database,
  entity: RecordEntity,
  id: number,
): RecordRow | undefined {
  return db.find(`select ${PARTS} from ${entity} where id = ?`, id);
}

export function readRecord(row: RecordRow): StoredRecord {
  const { id, deleted, base, custom } = row;
  return { id, base: parseObject(base), custom: parseObject(custom), deleted: deleted === 1 };
}

export interface ListFilter {
  ids?: number[];
  /** By column of the entity. */
  equal: [column: string, value: number | string][];
  /** Of deals; "deleted" brings back the deleted ones. */
  statuses?: string[];
  /** Of persons: those of this deal. */
  dealId?: number;
  updatedSince?: string;
  updatedUntil?: string;
  /** A column that cannot be null. */
  sortBy: string;
  descending: boolean;
  after?: Cursor;
  limit: number;
}

/** One page of records in keyset order, with the value they are sorted by. */
export function listRecordRows(
  db: Database,
  entity: RecordEntity,
  filter: ListFilter,
): (RecordRow & { sort: string | number })[] {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...more: SQLInputValue[]) => {
    conditions.push(condition);
    values.push(...more);
  };
  add(...livingOrNamed(filter.statuses));
  if (filter.ids !== undefined)
    add('id in (select value from json_each(?))', JSON.stringify(filter.ids));
  if (filter.dealId !== undefined)
    add('id in (select person_id from deal where id = ?)', filter.dealId);
  for (const [column, value] of filter.equal) add(`${column} = ?`, value);
  if (filter.updatedSince !== undefined) add('update_time >= ?', filter.updatedSince);
  if (filter.updatedUntil !== undefined) add('update_time < ?', filter.updatedUntil);

  const beyond = filter.descending ? '<' : '>';
  if (filter.after !== undefined && filter.sortBy === 'id') add(`id ${beyond} ?`, filter.after.id);
  else if (filter.after !== undefined)
    add(`(${filter.sortBy}, id) ${beyond} (?, ?)`, filter.after.value, filter.after.id);

  const direction = filter.descending ? 'desc' : 'asc';
  const sort = filter.sortBy === 'id' ? '' : `${filter.sortBy} ${direction}, `;
  return db.list(
    `select ${PARTS}, ${filter.sortBy} as sort from ${entity} where ${conditions.join(' and ')}
     order by ${sort}id ${direction} limit ?`,
    ...values,
    filter.limit,
  );
}

function livingOrNamed(statuses: string[] | undefined): [string, ...SQLInputValue[]] {
  if (statuses === undefined) return ['deleted = 0'];
  const living = '(deleted = 0 and status in (select value from json_each(?)))';
  const deleted = statuses.includes('deleted') ? 'deleted = 1' : 'false';
  return [`(${living} or ${deleted})`, JSON.stringify(statuses)];
}

/** The last id that was ever given, of records that are gone for good too. */
export function lastPurgedKey(entity: RecordEntity): string {
  return `last purged ${entity}`;
}

export function nextRecordId(db: Database, entity: RecordEntity): number {
  const row = db.find<{ id: number | null }>(`select max(id) as id from ${entity}`);
  const purged = Number(findSetting(db, lastPurgedKey(entity)) ?? 0);
  return Math.max(row?.id ?? 0, purged) + 1;
}

const KEPT = ['id', 'add_time', 'update_time', 'deleted', 'base', 'custom', 'revision'];

const INSERTS = new Map(
  RECORD_ENTITIES.map((entity) => {
    const columns = [...KEPT, ...COLUMNS[entity]];
    const marks = columns.map(() => '?').join(', ');
    return [entity, `insert or replace into ${entity} (${columns.join(', ')}) values (${marks})`];
  }),
);

/** Inserts or replaces; the columns beside the text are taken from it. */
export function saveRecord(
  db: Database,
  entity: RecordEntity,
  record: { base: JsonObject; custom: JsonObject; revision: number },
): void {
  const { base, custom, revision } = record;
  db.run(
    INSERTS.get(entity) ?? '',
    Number(base.id),
    textOf(base.add_time),
    textOf(base.update_time),
    base.is_deleted === true ? 1 : 0,
    JSON.stringify(base),
    JSON.stringify(custom),
    revision,
    ...COLUMNS[entity].map((column) => columnValue(column, base[column])),
  );
}

function columnValue(column: string, value: Json | undefined): SQLInputValue {
  if (TEXT_COLUMNS.has(column)) return textOf(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' ? value : null;
}

export function countRecords(db: Database, entity: RecordEntity): number {
  const sql = `select count(*) as count from ${entity} where deleted = 0`;
  return db.find<{ count: number }>(sql)?.count ?? 0;
}
