import { type Checked, checkCustomValue, type ValueContext } from '../fields/custom-values.ts';
import { ADDRESS_PARTS, type Field } from '../fields/field.ts';
import type { Issue } from '../http/problem.ts';
import { isObject, type Json, type JsonObject, textOf } from '../json.ts';

/** Custom values the way v1 shows them on leads: flat keys, subfields as suffixes, unset ones absent. */
export function flattenCustom(custom: JsonObject, fields: Field[]): JsonObject {
  const pairs = fields.flatMap(({ code, type }) => flatten(code, type, custom[code] ?? null));
  return Object.fromEntries(pairs);
}

function flatten(code: string, type: string, value: Json): [string, Json][] {
  if (value === null) return [];
  if (type === 'enum') return [[code, textOf(value)]];
  if (Array.isArray(value)) return [[code, value.map(textOf).join(',')]];
  if (!isObject(value)) return [[code, value]];
  const parts = Object.entries(value).filter(([key]) => key !== 'value' && key !== 'timezone_name');
  return [
    [code, value.value ?? null],
    ...parts.map(([key, part]): [string, Json] => [`${code}_${key}`, part]),
  ];
}

/** Whether a key of a lead's body is a custom field's, or a subfield's, by its form. */
export function isCustomKey(key: string): boolean {
  return /^[0-9a-f]{40}(_|$)/.test(key);
}

/** Reads the flat custom keys of a lead's body; null unsets. */
export function readFlatCustom(
  body: JsonObject,
  fields: (code: string) => Field | undefined,
  context: ValueContext,
): { values: JsonObject; issues: Issue[] } {
  const values: JsonObject = {};
  const issues: Issue[] = [];
  const codes = new Set(
    Object.keys(body)
      .filter(isCustomKey)
      .map((key) => key.slice(0, 40)),
  );
  for (const code of codes) {
    const field = fields(code);
    const checked: Checked =
      field === undefined
        ? { wrong: 'is not allowed' }
        : checkCustomValue(field, nest(field, body), context);
    if ('wrong' in checked) issues.push({ key: code, message: checked.wrong });
    else values[code] = checked.value;
  }
  return { values, issues };
}

const SUFFIXES: Record<string, readonly string[]> = {
  monetary: ['currency'],
  daterange: ['until'],
  time: ['timezone_id'],
  timerange: ['until', 'timezone_id'],
  address: ADDRESS_PARTS.filter((part) => part !== 'value'),
};

/** From the flat form of v1 to the nested one of v2, in which values are stored. */
function nest(field: Field, body: JsonObject): Json {
  const value = body[field.code] ?? null;
  if (value === null) return null;
  const suffixes = SUFFIXES[field.type];
  if (suffixes !== undefined) {
    const parts = suffixes.flatMap((suffix): [string, Json][] => {
      const part = body[`${field.code}_${suffix}`];
      return part === undefined ? [] : [[suffix, part]];
    });
    return isObject(value) ? value : { value, ...Object.fromEntries(parts) };
  }
  if (field.type === 'enum') return numeric(value);
  if (field.type !== 'set') return value;
  return (Array.isArray(value) ? value : textOf(value).split(',')).map(numeric);
}

function numeric(value: Json): Json {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}
