import type { Field } from '../fields/field.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { World } from '../world.ts';

export const SEARCH_ENTITIES = ['person', 'organization', 'deal', 'lead', 'product'] as const;

export type Searched = (typeof SEARCH_ENTITIES)[number];

/** Notes are indexed by their own id and found for what they hang on. */
export type SearchEntity = Searched | 'note';

/** By which column notes point at what they hang on. */
export const NOTE_COLUMNS: Partial<Record<Searched, string>> = {
  person: 'person_id',
  organization: 'org_id',
  deal: 'deal_id',
  lead: 'lead_id',
};

export function isSearchable(entity: string): entity is Searched {
  return SEARCH_ENTITIES.some((known) => known === entity);
}

/** Something a record can be found by: `field` is name, email, phone, address, title, code or a custom code. */
export interface Term {
  field: string;
  term: string;
}

const SEARCHABLE = ['address', 'varchar', 'text', 'varchar_auto', 'double', 'monetary', 'phone'];

/** The terms of a record: built-in ones, and custom fields of the types Pipedrive indexes. */
export function termsOf(base: JsonObject, custom: JsonObject, fields: Field[]): Term[] {
  const builtIn = [
    { field: 'name', term: text(base.name) },
    { field: 'title', term: text(base.title) },
    { field: 'code', term: text(base.code) },
    { field: 'address', term: text(base.address) },
    ...contactTerms('email', base.emails),
    ...contactTerms('phone', base.phones),
  ];
  const own = fields
    .filter(({ type }) => SEARCHABLE.includes(type))
    .map(({ code }) => ({ field: code, term: text(custom[code]) }));
  return [...builtIn, ...own].filter(({ term }) => term !== '');
}

function contactTerms(field: string, list: Json | undefined): Term[] {
  return Array.isArray(list) ? list.map((item) => ({ field, term: text(item) })) : [];
}

function text(value: Json | undefined): string {
  if (isObject(value)) return text(value.value);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

type RecordId = number | string;

/** Replaces a record's terms; both the new and the outdated ones take effect after the lag. */
export function indexTerms(world: World, entity: SearchEntity, id: RecordId, terms: Term[]): void {
  const { db, searchLagMs } = world;
  const now = world.now().getTime();
  const visible = now + searchLagMs;
  const old = db.list<{ rowid: number; field: string; term: string; until_ms: number | null }>(
    'select rowid, field, term, until_ms from term where entity = ? and record_id = ?',
    entity,
    id,
  );
  const wanted = new Map(terms.map((item) => [`${item.field} ${item.term}`, item]));
  for (const row of old) {
    if (row.until_ms !== null) {
      if (row.until_ms < now) db.run('delete from term where rowid = ?', row.rowid);
      continue;
    }
    if (!wanted.delete(`${row.field} ${row.term}`))
      db.run('update term set until_ms = ? where rowid = ?', visible, row.rowid);
  }
  for (const term of wanted.values()) insertTerm(world, { entity, id, term, fromMs: visible });
}

export function insertTerm(
  { db }: World,
  { entity, id, term, fromMs }: { entity: SearchEntity; id: RecordId; term: Term; fromMs: number },
): void {
  const sql =
    'insert into term (entity, record_id, field, term, lower, from_ms) values (?, ?, ?, ?, ?, ?)';
  db.run(sql, entity, id, term.field, term.term, term.term.toLowerCase(), fromMs);
}

/** The record leaves the index after the lag. */
export function forgetTerms(world: World, entity: SearchEntity, id: RecordId): void {
  const now = world.now().getTime();
  const sql =
    'update term set until_ms = ? where entity = ? and record_id = ? and until_ms is null';
  world.db.run(sql, now + world.searchLagMs, entity, id);
}
