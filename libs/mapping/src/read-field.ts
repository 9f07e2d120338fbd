import type {
  FieldDefinition,
  MappingPart,
  OptionId,
  VariableType,
  VariableValue,
} from '@manifold/contracts';
import { type Conversion, type ToVariable, withheld } from './conversion.ts';
import { isAddress, isChannels, isJson, isMonetary, isOptionId } from './field-shapes.ts';
import { partsOf, variableTypeOf } from './field-types.ts';
import { readDate, readInstant, readTime } from './texts.ts';

export interface Reading {
  type: VariableType;
  read: ToVariable;
}

/** How a field, or one part of it, is read as a variable; undefined when it has no such part. */
export function readingOf(
  field: FieldDefinition,
  part: MappingPart | undefined,
): Reading | undefined {
  const type = variableTypeOf(field);
  if (type === undefined) return undefined;
  if (part === undefined) return { type, read: wholeReader(field, type) };
  if (!partsOf(field).includes(part)) return undefined;
  return { type: partType(field, part), read: partReader(part) };
}

function partType(field: FieldDefinition, part: MappingPart): VariableType {
  if (part === 'amount') return 'number';
  if (part === 'start' || part === 'end') return field.type === 'daterange' ? 'date' : 'time';
  if (field.type === 'emails') return part === 'list' ? 'email_list' : 'email';
  if (field.type === 'phones') return part === 'list' ? 'phone_list' : 'phone';
  return 'text';
}

const unreadable = withheld('shape_unexpected');

const whole = (value: VariableValue): Conversion<VariableValue> => ({ value });

/** A value that came in no catalogue's shape is passed on; the conversion after it refuses it. */
function wholeReader(field: FieldDefinition, type: VariableType): ToVariable {
  switch (type) {
    case 'option':
      return optionReader(field);
    case 'multiple_options':
      return optionsReader(field);
    case 'money':
      return (value) =>
        isMonetary(value) ? whole({ amount: value.value, currency: value.currency }) : unreadable;
    case 'date_range':
      return (value) => readRange(value, readDate);
    case 'time_range':
      return (value) => withoutZone(value, readRange(value, readTime));
    case 'time':
      return (value) =>
        withoutZone(value, isJson(value) ? readText(value.value, readTime) : unreadable);
    case 'text':
      return field.type === 'address'
        ? partReader('value')
        : (value) => readText(value, (text) => text);
    case 'date':
      return (value) => readText(value, readDate);
    case 'datetime':
      return (value) => readText(value, readInstant);
    case 'number':
      return (value) => (typeof value === 'number' ? whole(value) : unreadable);
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? whole(value) : unreadable);
    case 'email':
    case 'phone':
      return (value) => readText(value, (text) => text);
    case 'email_list':
    case 'phone_list':
      return (value) => (isChannels(value) ? whole(value) : unreadable);
  }
}

function partReader(part: MappingPart): ToVariable {
  switch (part) {
    case 'amount':
      return (value) => (isMonetary(value) ? whole(value.value) : unreadable);
    case 'currency':
      return (value) => (isMonetary(value) ? whole(value.currency) : unreadable);
    case 'start':
      return (value) => (isJson(value) ? textOrNull(value.value) : unreadable);
    case 'end':
      return (value) => (isJson(value) ? textOrNull(value.until) : unreadable);
    case 'list':
      return (value) => (isChannels(value) ? whole(value) : unreadable);
    case 'primary':
      return (value) =>
        isChannels(value)
          ? whole((value.find(({ primary }) => primary) ?? value[0])?.value ?? null)
          : unreadable;
    case 'work':
    case 'home':
    case 'mobile':
    case 'other':
      return (value) =>
        isChannels(value)
          ? whole(value.find(({ label }) => label.toLowerCase() === part)?.value ?? null)
          : unreadable;
    case 'value':
    case 'country':
    case 'admin_area_level_1':
    case 'admin_area_level_2':
    case 'locality':
    case 'sublocality':
    case 'route':
    case 'street_number':
    case 'subpremise':
    case 'postal_code':
    case 'formatted_address':
      return (value) => (isAddress(value) ? textOrNull(value[part]) : unreadable);
  }
}

function optionReader(field: FieldDefinition): ToVariable {
  const labels = new Map((field.options ?? []).map(({ id, label }) => [id, label]));
  return (value) => {
    const label = isOptionId(value) ? labelOf(labels, value) : undefined;
    return label === undefined ? withheld('option_unknown') : whole(label);
  };
}

function optionsReader(field: FieldDefinition): ToVariable {
  const labels = new Map((field.options ?? []).map(({ id, label }) => [id, label]));
  return (value) => {
    if (!Array.isArray(value)) return unreadable;
    const known = value.flatMap((id) => (isOptionId(id) ? (labelOf(labels, id) ?? []) : []));
    if (known.length === value.length) return whole(known);
    return known.length === 0
      ? withheld('option_unknown')
      : { value: known, loss: 'option_unknown' };
  };
}

/** Some built-in options are words that need no label. */
const labelOf = (labels: ReadonlyMap<OptionId, string>, id: OptionId): string | undefined =>
  labels.get(id) ?? (typeof id === 'string' && id !== '' ? id : undefined);

function readText(
  value: unknown,
  read: (text: string) => string | undefined,
): Conversion<VariableValue> {
  const text = typeof value === 'string' ? read(value) : undefined;
  return text === undefined ? unreadable : whole(text);
}

const textOrNull = (value: unknown): Conversion<VariableValue> =>
  value === null || typeof value === 'string' ? whole(value) : unreadable;

function readRange(
  value: unknown,
  read: (text: string) => string | undefined,
): Conversion<VariableValue> {
  if (!isJson(value)) return unreadable;
  const start = readEnd(value.value, read);
  const end = readEnd(value.until, read);
  if (start === undefined || end === undefined) return unreadable;
  return whole(start === null && end === null ? null : { start, end });
}

const readEnd = (value: unknown, read: (text: string) => string | undefined) =>
  value === null ? null : typeof value === 'string' ? read(value) : undefined;

/** Pipedrive's number of a time zone means nothing outside it. */
function withoutZone(value: unknown, time: Conversion<VariableValue>): Conversion<VariableValue> {
  const hadZone = isJson(value) && typeof value.timezoneId === 'number';
  return hadZone && 'value' in time && time.value !== null
    ? { value: time.value, loss: 'timezone_dropped' }
    : time;
}
