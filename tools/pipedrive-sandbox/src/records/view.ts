import type { Field } from '../fields/field.ts';
import { invalidKey } from '../http/problem.ts';
import type { Json, JsonObject } from '../json.ts';
import { parseObject } from '../json.ts';
import type { World } from '../world.ts';
import { completeCustom, fieldRevision } from './custom-part.ts';
import { CUSTOM_FIELDS, type RecordEntity } from './entities.ts';
import { optionalValue } from './optional.ts';
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
  const base = baseText(entity, row, view, world);
  if (CUSTOM_FIELDS[entity] === undefined) return base;
  const current = row.revision === fieldRevision(entity, world);
  const plainCustom = current && view.keys === undefined && !view.optionLabels;
  const custom = plainCustom ? row.custom : JSON.stringify(viewCustom(entity, row, view, world));
  return `${base.slice(0, -1)},"custom_fields":${custom}}`;
}

function baseText(entity: RecordEntity, row: RecordRow, view: View, world: World): string {
  const hidesNothing = entity !== 'activity' || !row.base.includes('"attendees":');
  if (view.include.length === 0 && !view.labels && hidesNothing) return row.base;
  return JSON.stringify(extendBase(entity, row, view, world));
}

function extendBase(entity: RecordEntity, row: RecordRow, view: View, world: World): JsonObject {
  const { attendees: _, ...base } = parseObject(row.base);
  for (const key of view.include) base[key] = optionalValue(entity, row, key, world);
  if (view.labels) {
    const field = findField(entity, 'label_ids', world);
    base.labels = field === undefined ? [] : labelled(field, base.label_ids ?? []);
  }
  return base;
}

function viewCustom(entity: RecordEntity, row: RecordRow, view: View, world: World): JsonObject {
  const all = completeCustom(CUSTOM_FIELDS[entity], parseObject(row.custom), world);
  const keys = view.keys === undefined ? Object.keys(all) : view.keys.filter((key) => key in all);
  const pairs = keys.map((key): [string, Json] => {
    const field = findField(entity, key, world);
    const value = all[key] ?? null;
    return [key, view.optionLabels && field !== undefined ? labelled(field, value) : value];
  });
  return Object.fromEntries(pairs);
}

function findField(entity: RecordEntity, code: string, world: World): Field | undefined {
  const fields = CUSTOM_FIELDS[entity];
  return fields && world.fields.find(fields, code);
}

function labelled(field: Field, value: Json): Json {
  if (Array.isArray(value)) return value.map((id) => labelled(field, id));
  if (value === null || field.options === null) return value;
  const option = field.options.find(({ id }) => id === value);
  return { id: value, label: option?.label ?? null };
}
