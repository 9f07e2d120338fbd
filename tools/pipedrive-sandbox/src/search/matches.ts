import type { World } from '../world.ts';
import type { SearchEntity } from './terms.ts';

export interface Wanted {
  entity: SearchEntity;
  term: string;
  /** Names of fields, `custom_fields` for all custom ones; null is every field. */
  fields: string[] | null;
  match: 'exact' | 'beginning' | 'middle';
  caseSensitive: boolean;
}

export interface Match {
  id: number | string;
  /** The fields the term was found in. */
  fields: string[];
}

const MAX_MATCHES = 5_000;
const BUILT_IN = new Set(['name', 'title', 'email', 'phone', 'address', 'notes']);

/** What the index holds at this moment, which is what was written at least one lag ago. */
export function findMatches(world: World, wanted: Wanted): Match[] {
  const now = world.now().getTime();
  const lower = wanted.term.toLowerCase();
  // without the hint SQLite walks every record's terms to spare itself a small sort
  const source =
    wanted.match === 'exact'
      ? 'term indexed by term_lower where lower = ?'
      : 'term not indexed where instr(lower, ?) > 0';
  const rows = world.db.list<{ record_id: number | string; field: string; term: string }>(
    `select record_id, field, term from ${source}
     and entity = ? and from_ms <= ? and (until_ms is null or until_ms > ?)
     order by record_id limit ${MAX_MATCHES}`,
    lower,
    wanted.entity,
    now,
    now,
  );
  const fitting = rows.filter((row) => fitsField(row.field, wanted) && fitsTerm(row.term, wanted));
  const byRecord = Map.groupBy(fitting, (row) => row.record_id);
  return [...byRecord].map(([id, found]) => ({ id, fields: found.map((row) => row.field) }));
}

function fitsField(field: string, { fields }: Wanted): boolean {
  if (fields === null || fields.includes(field)) return true;
  return fields.includes('custom_fields') && !BUILT_IN.has(field);
}

function fitsTerm(term: string, { caseSensitive, match, term: wanted }: Wanted): boolean {
  const [text, part] = caseSensitive ? [term, wanted] : [term.toLowerCase(), wanted.toLowerCase()];
  if (match === 'exact') return text === part;
  return match === 'beginning' ? text.startsWith(part) : text.includes(part);
}
