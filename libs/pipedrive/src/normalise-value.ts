import { ADDRESS_PARTS, FieldType, type FieldValue } from '@manifold/contracts';
import {
  isJson,
  type Json,
  toAddress,
  toBoolean,
  toChannels,
  toInstant,
  toMonetary,
  toNumber,
  toOptionId,
  toOptionIds,
  toRange,
  toText,
  toTime,
} from './shapes.ts';

/**
 * A value of any API version or webhook in the one form of `FieldValue`. With a type the shape is
 * made to fit it; with `unknown` the type a webhook wrote beside it decides, else the value itself. Empty text and empty lists are
 * null. Never throws: what cannot be read is null.
 */
export function normaliseValue(type: FieldType, raw: unknown): FieldValue {
  if (raw === null || raw === undefined || raw === '') return null;
  const value = isJson(raw) ? unwrap(raw) : raw;
  switch (type === 'unknown' ? typeSaid(raw) : type) {
    case 'int':
    case 'double':
    case 'user':
    case 'org':
    case 'people':
    case 'deal':
    case 'project':
    case 'product':
    case 'activity':
    case 'pipeline':
    case 'stage':
    case 'projects_board':
    case 'projects_phase':
      return toNumber(isJson(value) ? value.id : value);
    case 'boolean':
      return toBoolean(value);
    case 'enum':
    case 'status':
    case 'visible_to':
    case 'billing_frequency':
    case 'price_list':
    case 'varchar_options':
      return toOptionId(value);
    case 'set':
      return toOptionIds(value);
    case 'monetary':
      return toMonetary(value);
    case 'daterange':
      return toRange(value, false);
    case 'timerange':
      return toRange(value, true);
    case 'time':
      return toTime(value);
    case 'address':
      return toAddress(value);
    case 'emails':
    case 'phones':
      return toChannels(value);
    case 'datetime':
      return toInstant(value);
    case 'varchar':
    case 'varchar_auto':
    case 'text':
    case 'phone':
    case 'date':
    case 'lead':
      return toText(value);
    case 'picture':
    case 'json':
    case 'deals':
    case 'unknown':
      return guess(value);
  }
}

const typeSaid = (raw: unknown): FieldType => {
  const said = FieldType.safeParse(isJson(raw) ? raw.type : undefined);
  return said.success ? said.data : 'unknown';
};

/** Webhooks wrap a value as `{type, value | id | values, …}`; composites keep their other keys. */
function unwrap(raw: Json): unknown {
  const { type, ...rest } = raw;
  if (typeof type !== 'string') return raw;
  const keys = Object.keys(rest);
  if (keys.length === 1 && keys[0] === 'value') return rest.value;
  if (Array.isArray(rest.values)) return rest.values;
  return rest;
}

function guess(value: unknown): FieldValue {
  if (typeof value === 'string' || typeof value === 'boolean') return value === '' ? null : value;
  if (typeof value === 'number') return toNumber(value);
  if (Array.isArray(value)) {
    const isChannel = value.some((item) => isJson(item) && 'value' in item);
    return isChannel ? toChannels(value) : toOptionIds(value);
  }
  if (!isJson(value)) return null;
  if ('currency' in value) return toMonetary(value);
  if ('until' in value || 'from' in value) return toRange(value, 'timezone_id' in value);
  if ('timezone_id' in value) return toTime(value);
  if (ADDRESS_PARTS.some((part) => part in value)) return toAddress(value);
  if ('id' in value) return toOptionId(value);
  return null;
}
