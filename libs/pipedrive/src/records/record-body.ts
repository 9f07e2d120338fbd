import type {
  FieldValue,
  MonetaryValue,
  PipedriveObject,
  PipedriveRecord,
} from '@manifold/contracts';
import type { Body } from '../calling/call.ts';
import { activityTimes, isCustomCode, isReadOnly } from '../fields/field-codes.ts';
import { keptList, needsList, withPrice, withPrimary } from './record-lists.ts';
import type { Json } from '../normalising/shapes.ts';

/**
 * The body that writes these fields: v2 with `custom_fields`, or v1 (leads, notes) with custom
 * fields at the top level. What `unwritableFields` names is left out. `null` clears; the lists of
 * a record are cleared with an empty list. Of an address only its text is sent, because Pipedrive
 * derives the parts and blanks those that are left out. An update needs the record as it was read,
 * because of a list with other entries all of them are sent.
 */
export function toRequestBody(
  object: PipedriveObject,
  fields: Readonly<Record<string, FieldValue>>,
  existing?: PipedriveRecord,
): Body {
  const left = new Set(unwritableFields(object, fields, existing));
  const list = existing === undefined ? [] : (keptList(existing) ?? []);
  const flat = object === 'lead' || object === 'note';
  const top: [string, unknown][] = [];
  const custom: [string, unknown][] = [];
  for (const [code, value] of Object.entries(fields)) {
    if (left.has(code)) continue;
    if (!isCustomCode(code)) top.push(...builtInEntries(object, { code, value, list }));
    else if (flat) top.push(...flatEntries(code, value));
    else custom.push([code, toWritten(value)]);
  }
  return {
    ...Object.fromEntries(top),
    ...(custom.length === 0 ? {} : { custom_fields: Object.fromEntries(custom) }),
  };
}

/**
 * The fields that cannot be written so: those only Pipedrive can set, a price without a currency,
 * and what stands in a list whose other entries are not known or would go with it.
 */
export function unwritableFields(
  object: PipedriveObject,
  fields: Readonly<Record<string, FieldValue>>,
  existing?: PipedriveRecord,
): string[] {
  const others = existing === undefined ? 0 : (keptList(existing)?.length ?? 0) - 1;
  return Object.entries(fields).flatMap(([code, value]) => {
    const listed = `${object}.${code}`;
    const isListed = listed === 'product.prices' || listed === 'activity.person_id';
    const isLost =
      isListed &&
      ((value === null && others > 0) ||
        (existing !== undefined && needsList(existing, { [code]: value })));
    const isPriceless = listed === 'product.prices' && isMonetary(value) && value.currency === null;
    return isReadOnly(object, code) || isLost || isPriceless ? [code] : [];
  });
}

interface Entry {
  code: string;
  value: FieldValue;
  /** What the list of the record holds that this is an entry of. */
  list: readonly Json[];
}

function builtInEntries(object: PipedriveObject, entry: Entry): [string, unknown][] {
  const { code, value } = entry;
  if (value === null && ['emails', 'phones', 'label_ids'].includes(code)) return [[code, []]];
  return ownForms[object]?.(entry) ?? [[code, toWritten(value)]];
}

type Form = (entry: Entry) => [string, unknown][] | undefined;

/** Fields that are written in another form than they are read. */
const ownForms: Partial<Record<PipedriveObject, Form>> = {
  deal: ({ code, value }) => {
    if (code !== 'value') return undefined;
    const money = isMonetary(value) ? value : { value: null, currency: null };
    const amount: [string, unknown] = ['value', money.value];
    return money.currency === null ? [amount] : [amount, ['currency', money.currency]];
  },
  lead: ({ code, value }) => {
    if (isMonetary(value)) return [[code, { amount: value.value, currency: value.currency }]];
    // v1 wants this one as text
    return code === 'visible_to' && typeof value === 'number' ? [[code, `${value}`]] : undefined;
  },
  note: ({ code, value }) => (typeof value === 'boolean' ? [[code, value ? 1 : 0]] : undefined),
  activity: ({ code, value, list }) => {
    if (code === 'person_id') {
      return [['participants', value === null ? [] : withPrimary(list, value)]];
    }
    const isTime = activityTimes.has(code) && typeof value === 'string';
    return isTime ? [[code, value.replace(/^(\d+:\d\d):00$/, '$1')]] : undefined;
  },
  product: ({ code, value, list }) => {
    if (code !== 'prices') return undefined;
    if (!isMonetary(value) || value.currency === null) return [[code, []]];
    return [[code, withPrice(list, { value: value.value, currency: value.currency })]];
  },
};

/** v2's form of a value. */
function toWritten(value: FieldValue): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.length === 0 ? null : value;
  if ('country' in value) return { value: value.value };
  if (!('timezoneId' in value)) return value;
  const { timezoneId: _, timezoneName, ...rest } = value;
  return timezoneName === undefined ? rest : { ...rest, timezone_name: timezoneName };
}

/** v1's form: one value, its parts beside it. */
function flatEntries(code: string, value: FieldValue): [string, unknown][] {
  if (value === null || typeof value !== 'object') return [[code, value]];
  if (Array.isArray(value)) {
    const ids = value.map((id) => (typeof id === 'object' ? id.value : String(id)));
    return [[code, ids.length === 0 ? null : ids.join(',')]];
  }
  if (isMonetary(value))
    return [
      [code, value.value],
      [`${code}_currency`, value.currency],
    ];
  const zone: [string, unknown][] =
    'timezoneId' in value && value.timezoneId !== null
      ? [[`${code}_timezone_id`, value.timezoneId]]
      : [];
  if ('until' in value) return [[code, value.value], [`${code}_until`, value.until], ...zone];
  return [[code, value.value], ...zone];
}

const isMonetary = (value: FieldValue): value is MonetaryValue =>
  typeof value === 'object' && value !== null && 'currency' in value;
