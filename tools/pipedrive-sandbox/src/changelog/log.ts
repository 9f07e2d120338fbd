import type { Field } from '../fields/field.ts';
import { isObject, type Json, type JsonObject, textOf } from '../json.ts';
import { flattenCustom } from '../leads/flat-custom.ts';
import type { RecordEntity } from '../records/entities.ts';
import { spacedTime } from '../times.ts';
import type { Author } from '../webhooks/outbox.ts';
import type { World } from '../world.ts';

const LOGGED: ReadonlySet<string> = new Set(['person', 'organization', 'deal']);
const SILENT: ReadonlySet<string> = new Set([
  'id',
  'update_time',
  'stage_change_time',
  'local_won_date',
  'local_lost_date',
  'local_close_date',
]);
/** Where the history keeps the names of v1. */
const NAMES: Record<string, string> = { emails: 'email', phones: 'phone', label_ids: 'label' };

interface Halves {
  base: JsonObject;
  custom: JsonObject;
}

/** Keeps one line per changed field of persons, organizations and deals. */
export function logChange(
  entity: RecordEntity,
  change: { before: Halves & { id: number }; after: Halves; fields: Field[]; author: Author },
  { db, now }: World,
): void {
  if (!LOGGED.has(entity)) return;
  const { before, after, fields, author } = change;
  const [old, current] = [flatten(entity, before, fields), flatten(entity, after, fields)];
  const keys = new Set([...old.keys(), ...current.keys()]);
  for (const key of keys) {
    const [oldValue, newValue] = [old.get(key) ?? null, current.get(key) ?? null];
    if (oldValue === newValue) continue;
    const line = {
      field_key: key,
      old_value: oldValue,
      new_value: newValue,
      actor_user_id: author.userId,
      time: spacedTime(now()),
      change_source: author.changeSource,
      change_source_user_agent: null,
      is_bulk_update_flag: false,
    };
    const sql = 'insert into change_log (entity, record_id, data) values (?, ?, ?)';
    db.run(sql, entity, before.id, JSON.stringify(line));
  }
}

/** Every value as text under its v1 key, subfields as keys of their own. */
function flatten(entity: RecordEntity, { base, custom }: Halves, fields: Field[]) {
  const builtIn = Object.entries(base)
    .filter(([key]) => !SILENT.has(key))
    .map(([key, value]): [string, Json] => [nameOf(entity, key), value]);
  const all = [...builtIn, ...Object.entries(flattenCustom(custom, fields))];
  return new Map(all.map(([key, value]) => [key, shown(value)]));
}

function nameOf(entity: RecordEntity, key: string): string {
  return entity === 'deal' && key === 'owner_id' ? 'user_id' : (NAMES[key] ?? key);
}

function shown(value: Json): string | null {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(shown).join(', ') || null;
  return isObject(value) ? shown(value.value ?? null) : textOf(value);
}
