import { isObject, type Json, type JsonObject, parseObject } from '../json.ts';
import type { Database } from '../store/database.ts';

/** An object that has pages: a list, and one for each record. */
export interface ShownObject {
  kind: string;
  /** Of the list. */
  path: string;
  /** Of a record, in front of its id. */
  recordPath: string;
  table: string;
  /** SQL of the records that are not deleted. */
  living: string;
  titles: readonly string[];
  fields: readonly string[];
}

export interface ShownRecord {
  id: string;
  title: string;
  updateTime: string;
  base: JsonObject;
}

const living = 'deleted = 0';

export const SHOWN_OBJECTS: readonly ShownObject[] = [
  {
    kind: 'Person',
    path: '/persons',
    recordPath: '/person/',
    table: 'person',
    living,
    titles: ['name'],
    fields: ['emails', 'phones', 'org_id', 'owner_id'],
  },
  {
    kind: 'Organization',
    path: '/organizations',
    recordPath: '/organization/',
    table: 'organization',
    living,
    titles: ['name'],
    fields: ['address', 'website', 'owner_id'],
  },
  {
    kind: 'Deal',
    path: '/deals',
    recordPath: '/deal/',
    table: 'deal',
    living,
    titles: ['title'],
    fields: ['value', 'currency', 'status', 'stage_id', 'person_id', 'org_id', 'owner_id'],
  },
  {
    kind: 'Lead',
    path: '/leads',
    recordPath: '/leads/inbox/',
    table: 'lead',
    living,
    titles: ['title'],
    fields: ['value', 'person_id', 'organization_id', 'owner_id'],
  },
  {
    kind: 'Activity',
    path: '/activities',
    recordPath: '/activity/',
    table: 'activity',
    living,
    titles: ['subject'],
    fields: ['type', 'due_date', 'done', 'person_id', 'org_id', 'deal_id', 'owner_id'],
  },
  {
    kind: 'Product',
    path: '/products',
    recordPath: '/product/',
    table: 'product',
    living,
    titles: ['name'],
    fields: ['code', 'unit', 'prices', 'owner_id'],
  },
  {
    kind: 'Note',
    path: '/notes',
    recordPath: '/note/',
    table: 'note',
    living: 'active = 1',
    titles: ['content'],
    fields: ['person_id', 'org_id', 'deal_id', 'lead_id', 'user_id'],
  },
];

interface Row {
  id: number | string;
  update_time: string;
  base: string;
}

export function countShown(db: Database, { table, living: condition }: ShownObject): number {
  const sql = `select count(*) as count from ${table} where ${condition}`;
  return db.find<{ count: number }>(sql)?.count ?? 0;
}

export function listNewest(db: Database, object: ShownObject, limit: number): ShownRecord[] {
  const sql = `select id, update_time, base from ${object.table} where ${object.living}
    order by update_time desc, rowid desc limit ?`;
  return db.list<Row>(sql, limit).map((row) => readShown(object, row));
}

export function findShown(db: Database, object: ShownObject, id: string): ShownRecord | undefined {
  const key = object.table === 'lead' ? id : Number(id);
  const sql = `select id, update_time, base from ${object.table} where id = ? and ${object.living}`;
  const row = db.find<Row>(sql, key);
  return row && readShown(object, row);
}

function readShown({ titles }: ShownObject, row: Row): ShownRecord {
  const base = parseObject(row.base);
  const title = titles.map((name) => shownAs(base[name])).join(' ');
  return { id: String(row.id), title, updateTime: row.update_time, base };
}

/** A value as people read it. */
export function shownAs(value: Json | undefined): string {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value)) return value.length === 0 ? '–' : value.map(shownAs).join(', ');
  if (!isObject(value)) return String(value);
  if (value.value !== undefined) return shownAs(value.value);
  if (value.amount !== undefined) return `${shownAs(value.amount)} ${shownAs(value.currency)}`;
  if (value.price !== undefined) return `${shownAs(value.price)} ${shownAs(value.currency)}`;
  return JSON.stringify(value);
}
