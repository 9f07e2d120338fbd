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

type Reader = (value: unknown) => FieldValue;

const toPointer: Reader = (value) => toNumber(isJson(value) ? value.id : value);

/** How the value of each type is read, once a webhook's wrapping is off. */
const readers: Record<FieldType, Reader> = {
  int: toNumber,
  double: toNumber,
  boolean: toBoolean,
  monetary: toMonetary,
  user: toPointer,
  org: toPointer,
  people: toPointer,
  deal: toPointer,
  project: toPointer,
  product: toPointer,
  activity: toPointer,
  pipeline: toPointer,
  stage: toPointer,
  projects_board: toPointer,
  projects_phase: toPointer,
  enum: toOptionId,
  status: toOptionId,
  visible_to: toOptionId,
  billing_frequency: toOptionId,
  price_list: toOptionId,
  varchar_options: toOptionId,
  set: toOptionIds,
  varchar: toText,
  varchar_auto: toText,
  text: toText,
  phone: toText,
  date: toText,
  lead: toText,
  datetime: toInstant,
  daterange: (value) => toRange(value, false),
  timerange: (value) => toRange(value, true),
  time: toTime,
  address: toAddress,
  emails: toChannels,
  phones: toChannels,
  picture: guess,
  json: guess,
  deals: guess,
  unknown: guess,
};

/**
 * A value of any API version or webhook in the one form of `FieldValue`. With a type the shape is
 * made to fit it; with `unknown` the type a webhook wrote beside it decides, else the value itself.
 * Empty text and empty lists are null. Never throws: what cannot be read is null.
 */
export function normaliseValue(type: FieldType, raw: unknown): FieldValue {
  if (raw === null || raw === undefined || raw === '') return null;
  const read = readers[type === 'unknown' ? typeSaid(raw) : type];
  return read(isJson(raw) ? unwrap(raw) : raw);
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
