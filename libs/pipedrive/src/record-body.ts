import type { FieldValue, MonetaryValue, PipedriveObject } from '@manifold/contracts';
import type { Body } from './call.ts';
import { isCustomCode, isReadOnly } from './field-codes.ts';

/**
 * The body that writes these fields: v2 with `custom_fields`, or v1 (leads, notes) with custom
 * fields at the top level. Fields only Pipedrive can set are left out. `null` clears; the lists of
 * a record are cleared with an empty list. Of an address only its text is sent, because Pipedrive
 * derives the parts and blanks those that are left out.
 */
export function toRequestBody(
  object: PipedriveObject,
  fields: Readonly<Record<string, FieldValue>>,
): Body {
  const flat = object === 'lead' || object === 'note';
  const top: [string, unknown][] = [];
  const custom: [string, unknown][] = [];
  for (const [code, value] of Object.entries(fields)) {
    if (isReadOnly(object, code)) continue;
    if (!isCustomCode(code)) top.push(...builtInEntries(object, code, value));
    else if (flat) top.push(...flatEntries(code, value));
    else custom.push([code, toWritten(value)]);
  }
  return {
    ...Object.fromEntries(top),
    ...(custom.length === 0 ? {} : { custom_fields: Object.fromEntries(custom) }),
  };
}

function builtInEntries(
  object: PipedriveObject,
  code: string,
  value: FieldValue,
): [string, unknown][] {
  if (value === null && ['emails', 'phones', 'label_ids'].includes(code)) return [[code, []]];
  if (object === 'deal' && code === 'value') {
    const money = isMonetary(value) ? value : { value: null, currency: null };
    return money.currency === null
      ? [['value', money.value]]
      : [
          ['value', money.value],
          ['currency', money.currency],
        ];
  }
  if (object === 'lead' && isMonetary(value)) {
    return [[code, { amount: value.value, currency: value.currency }]];
  }
  // v1 wants this one as text
  if (object === 'lead' && typeof value === 'number' && code === 'visible_to')
    return [[code, `${value}`]];
  return [[code, toWritten(value)]];
}

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
  if ('until' in value)
    return [
      [code, value.value],
      [`${code}_until`, value.until],
    ];
  return [[code, value.value]];
}

const isMonetary = (value: FieldValue): value is MonetaryValue =>
  typeof value === 'object' && value !== null && 'currency' in value;
