import type { Field } from '../fields/field.ts';
import { isObject, type Json, type JsonObject, sameJson } from '../json.ts';
import { hasCustomFields, type HookEntity, hookBase } from './shapes.ts';

/** A record as webhooks v2 show it, which is not how REST v2 does: custom fields carry their type. */
export function hookRecord(
  entity: HookEntity,
  base: JsonObject,
  custom: JsonObject,
  fields: Field[],
): JsonObject {
  const shown = hookBase(entity, base);
  return hasCustomFields(entity) ? { ...shown, custom_fields: hookCustom(custom, fields) } : shown;
}

function hookCustom(custom: JsonObject, fields: Field[]): JsonObject {
  const pairs = fields.map((field): [string, Json] => [
    field.code,
    hookValue(field.type, custom[field.code] ?? null),
  ]);
  return Object.fromEntries(pairs);
}

function hookValue(type: string, value: Json): Json {
  if (value === null) return null;
  switch (type) {
    case 'enum':
    case 'user':
    case 'org':
    case 'people':
      return { type, id: value };
    case 'set':
      return { type, values: Array.isArray(value) ? value.map((id) => ({ id })) : [] };
    case 'daterange':
      return isObject(value)
        ? { type, from: value.value ?? null, until: value.until ?? null }
        : null;
    case 'time':
      return isObject(value)
        ? { type, value: value.value ?? null, timezone_id: value.timezone_id ?? null }
        : null;
    case 'timerange':
      return isObject(value)
        ? {
            type,
            from: value.value ?? null,
            until: value.until ?? null,
            timezone_id: value.timezone_id ?? null,
          }
        : null;
    default:
      return isObject(value) ? { type, ...value } : { type, value };
  }
}

/** `previous` of a change: the old values of what changed, down to the single custom field. */
export function changesBetween(before: JsonObject, after: JsonObject): JsonObject {
  const changed = Object.keys(after).filter(
    (key) => key !== 'custom_fields' && !sameJson(before[key], after[key]),
  );
  const previous: JsonObject = Object.fromEntries(changed.map((key) => [key, before[key] ?? null]));
  const old = isObject(before.custom_fields) ? before.custom_fields : {};
  const now = isObject(after.custom_fields) ? after.custom_fields : {};
  const codes = Object.keys(now).filter((code) => !sameJson(old[code], now[code]));
  if (codes.length === 0) return previous;
  const customFields = Object.fromEntries(codes.map((code) => [code, old[code] ?? null]));
  return { ...previous, custom_fields: customFields };
}
