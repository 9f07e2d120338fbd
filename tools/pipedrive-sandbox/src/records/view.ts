import type { Field } from '../fields/field.ts';
import { invalidKey } from '../http/problem.ts';
import type { Json, JsonObject } from '../json.ts';
import { parseObject } from '../json.ts';
import type { World } from '../world.ts';
import { completeCustom } from './custom-part.ts';
import type { RecordEntity } from './record.ts';
import type { RecordRow } from './store.ts';

/** How much of a record the caller asked for. */
export interface View {
  include: string[];
  /** Restricts the custom fields; undefined is all of them. */
  keys: string[] | undefined;
  optionLabels: boolean;
  labels: boolean;
}

const MAX_KEYS = 15;

export function readView(query: URLSearchParams): View {
  const keys = query.get('custom_fields')?.split(',').filter(Boolean);
  if (keys !== undefined && keys.length > MAX_KEYS)
    throw invalidKey('custom_fields', `Array must contain at most ${MAX_KEYS} element(s)`);
  return {
    include: query.get('include_fields')?.split(',') ?? [],
    keys,
    optionLabels: query.get('include_option_labels') === 'true',
    labels: query.get('include_labels') === 'true',
  };
}

/** The JSON text of one record. A plain view of a current row is two stored texts side by side. */
export function recordText(entity: RecordEntity, row: RecordRow, view: View, world: World): string {
  const plainBase = view.include.length === 0 && !view.labels;
  const base = plainBase ? row.base : JSON.stringify(extendBase(entity, row, view, world));
  const current = row.revision === world.fields.revision(entity);
  const plainCustom = current && view.keys === undefined && !view.optionLabels;
  const custom = plainCustom ? row.custom : JSON.stringify(viewCustom(entity, row, view, world));
  return `${base.slice(0, -1)},"custom_fields":${custom}}`;
}

function extendBase(entity: RecordEntity, row: RecordRow, view: View, world: World): JsonObject {
  const base = parseObject(row.base);
  for (const key of view.include) base[key] = optionalValue(entity, row, key, world);
  if (view.labels) {
    const field = world.fields.find(entity, 'label_ids');
    base.labels = field === undefined ? [] : labelled(field, base.label_ids ?? []);
  }
  return base;
}

/** Deals, mail and campaigns are not part of the sandbox, so most of these are constants. */
function optionalValue(entity: RecordEntity, row: RecordRow, key: string, world: World): Json {
  if (key === 'people_count' && entity === 'organization') {
    const sql = 'select count(*) as count from person where org_id = ? and deleted = 0';
    return world.db.find<{ count: number }>(sql, row.id)?.count ?? 0;
  }
  if (key === 'marketing_status') return 'no_consent';
  if (key === 'smart_bcc_email') return `${world.company.domain}@pipedrivemail.example`;
  return key.endsWith('_count') ? 0 : null;
}

function viewCustom(entity: RecordEntity, row: RecordRow, view: View, world: World): JsonObject {
  const all = completeCustom(entity, parseObject(row.custom), world);
  const keys = view.keys === undefined ? Object.keys(all) : view.keys.filter((key) => key in all);
  const pairs = keys.map((key): [string, Json] => {
    const field = world.fields.find(entity, key);
    const value = all[key] ?? null;
    return [key, view.optionLabels && field !== undefined ? labelled(field, value) : value];
  });
  return Object.fromEntries(pairs);
}

function labelled(field: Field, value: Json): Json {
  if (Array.isArray(value)) return value.map((id) => labelled(field, id));
  if (value === null || field.options === null) return value;
  const option = field.options.find(({ id }) => id === value);
  return { id: value, label: option?.label ?? null };
}
