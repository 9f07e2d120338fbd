import type {
  FieldDefinition,
  MappingPart,
  VariableType,
  VariableValue,
} from '@manifold/contracts';
import { type Conversion, type ToVariable, withheld } from '../converting/conversion.ts';
import { readingAs } from '../converting/shapes.ts';
import { readDate, readInstant, readTime } from '../converting/texts.ts';
import { isJson, isMonetary } from '../converting/field-shapes.ts';
import { variableTypeOf } from './field-types.ts';
import { optionReader, optionsReader } from './read-option.ts';
import { addressPartReader, partReadingOf } from './read-part.ts';

export interface Reading {
  type: VariableType;
  /** What it answers fits the type. */
  read: ToVariable;
}

/** How a field, or one part of it, is read as a variable; undefined when it has no such part. */
export function readingOf(
  field: FieldDefinition,
  part: MappingPart | undefined,
): Reading | undefined {
  const type = variableTypeOf(field);
  if (type === undefined) return undefined;
  return part === undefined ? { type, read: wholeReader(field, type) } : partReadingOf(field, part);
}

const unreadable = withheld('shape_unexpected');

/** Records are not trusted to fit their catalogue: what does not is withheld. */
function wholeReader(field: FieldDefinition, type: VariableType): ToVariable {
  switch (type) {
    case 'option':
      return optionReader(field);
    case 'multiple_options':
      return optionsReader(field);
    case 'money':
      return (value) =>
        isMonetary(value)
          ? { value: { amount: value.value, currency: value.currency } }
          : unreadable;
    case 'date_range':
      return (value) => readRange(value, readDate);
    case 'time_range':
      return (value) => withoutZone(value, readRange(value, readTime));
    case 'time':
      return (value) =>
        withoutZone(value, isJson(value) ? readText(value.value, readTime) : unreadable);
    case 'date':
      return (value) => readText(value, readDate);
    case 'datetime':
      return (value) => readText(value, readInstant);
    case 'text':
      return field.type === 'address' ? addressPartReader('value') : readingAs('text');
    case 'number':
    case 'boolean':
    case 'email':
    case 'phone':
    case 'email_list':
    case 'phone_list':
      return readingAs(type);
  }
}

function readText(
  value: unknown,
  read: (text: string) => string | undefined,
): Conversion<VariableValue> {
  const text = typeof value === 'string' ? read(value) : undefined;
  return text === undefined ? unreadable : { value: text };
}

function readRange(
  value: unknown,
  read: (text: string) => string | undefined,
): Conversion<VariableValue> {
  if (!isJson(value)) return unreadable;
  const start = readEnd(value.value, read);
  const end = readEnd(value.until, read);
  if (start === undefined || end === undefined) return unreadable;
  return { value: start === null && end === null ? null : { start, end } };
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
