import type { World } from '../world.ts';
import { findNote } from '../notes/store.ts';
import { NOTE_COLUMNS, type SearchEntity, type Searched } from './terms.ts';

export interface Wanted {
  entity: Searched;
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
const BUILT_IN = new Set(['name', 'title', 'email', 'phone', 'address', 'code', 'notes']);

/** What the index holds at this moment, which is what was written at least one lag ago. */
export function findMatches(world: World, wanted: Wanted): Match[] {
  const own = listTerms(world, wanted.entity, wanted).filter((row) => fitsField(row.field, wanted));
  const byRecord = Map.groupBy([...own, ...listNoted(world, wanted)], (row) => row.record_id);
  return [...byRecord].map(([id, found]) => ({ id, fields: found.map((row) => row.field) }));
}

interface TermRow {
  record_id: number | string;
  field: string;
  term: string;
}

function listTerms(world: World, entity: SearchEntity, wanted: Wanted): TermRow[] {
  const now = world.now().getTime();
  // without the hint SQLite walks every record's terms to spare itself a small sort
  const source =
    wanted.match === 'exact'
      ? 'term indexed by term_lower where lower = ?'
      : 'term not indexed where instr(lower, ?) > 0';
  const rows = world.db.list<TermRow>(
    `select record_id, field, term from ${source}
     and entity = ? and from_ms <= ? and (until_ms is null or until_ms > ?)
     order by record_id limit ${MAX_MATCHES}`,
    wanted.term.toLowerCase(),
    entity,
    now,
    now,
  );
  return rows.filter((row) => fitsTerm(row.term, wanted));
}

/** Records found by the notes that hang on them. */
function listNoted(world: World, wanted: Wanted): TermRow[] {
  const column = NOTE_COLUMNS[wanted.entity];
  if (column === undefined || !fitsField('notes', wanted)) return [];
  return listTerms(world, 'note', wanted).flatMap((row): TermRow[] => {
    const id = findNote(world.db, Number(row.record_id))?.[column];
    return typeof id === 'number' || typeof id === 'string' ? [{ ...row, record_id: id }] : [];
  });
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
