import type {
  ChannelValue,
  FieldDefinition,
  FieldOption,
  FieldValue,
  Money,
  OptionId,
  Range,
  VariableType,
} from '@manifold/contracts';
import { type Conversion, type ToField, withheld } from './conversion.ts';
import { variableTypeOf } from './field-types.ts';
import { cutText } from './texts.ts';

export interface Writing {
  /** The type of value it takes; checked by the conversion before it. */
  type: VariableType;
  write: ToField;
}

const SHORT_TEXT = 255;
const LONG_TEXT = 65_535;

/** How a variable's value is written to a field; undefined when the field's type cannot be mapped. */
export function writingOf(field: FieldDefinition): Writing | undefined {
  const type = variableTypeOf(field);
  return type === undefined ? undefined : { type, write: writerOf(field, type) };
}

/** A writer for a value whose shape is already known to fit. */
const given =
  <Given>(turn: (value: Given) => Conversion<FieldValue>): ToField =>
  // the conversion before a writer answers in the type the writer names
  (value) =>
    turn(value as Given);

function writerOf(field: FieldDefinition, type: VariableType): ToField {
  switch (type) {
    case 'text':
    case 'phone':
    case 'email':
      return given<string>(field.type === 'address' ? writeAddress : textWriter(field));
    case 'number':
      return given<number>(field.type === 'double' ? (value) => ({ value }) : writeWhole);
    case 'money':
      return given<Money>(writeMoney);
    case 'option':
      return given<string>(optionWriter(field.options ?? []));
    case 'multiple_options':
      return given<string[]>(optionsWriter(field.options ?? []));
    case 'date_range':
      return given<Range>(({ start, end }) => ({ value: { value: start, until: end } }));
    case 'time_range':
      return given<Range>(({ start, end }) => ({
        value: { value: start, until: end, timezoneId: null },
      }));
    case 'time':
      return given<string>((time) => ({ value: { value: time, timezoneId: null } }));
    case 'boolean':
      return given<boolean>((value) => ({ value }));
    case 'date':
    case 'datetime':
      return given<string>((value) => ({ value }));
    case 'email_list':
    case 'phone_list':
      return given<ChannelValue[]>((value) => ({ value }));
  }
}

function textWriter(field: FieldDefinition): (text: string) => Conversion<FieldValue> {
  const limit = field.type === 'text' ? LONG_TEXT : SHORT_TEXT;
  return (text) =>
    text.length <= limit
      ? { value: text }
      : { value: cutText(text, limit), loss: 'text_truncated' };
}

/** Pipedrive derives the parts from the text. */
const writeAddress = (text: string): Conversion<FieldValue> => ({
  value: {
    value: text,
    country: null,
    admin_area_level_1: null,
    admin_area_level_2: null,
    locality: null,
    sublocality: null,
    route: null,
    street_number: null,
    subpremise: null,
    postal_code: null,
    formatted_address: null,
  },
});

const writeWhole = (number: number): Conversion<FieldValue> =>
  Number.isInteger(number) ? { value: number } : { value: Math.round(number), loss: 'rounded' };

/** Without a currency Pipedrive would take the user's own, which may be wrong by far. */
const writeMoney = ({ amount, currency }: Money): Conversion<FieldValue> =>
  currency === null
    ? withheld('currency_missing')
    : { value: { value: amount, currency: currency.toUpperCase() } };

type Found = { id: OptionId } | { reason: 'option_unknown' | 'option_ambiguous' };

/** By exact label, then by label whatever its case, then by id. */
function findOption(options: readonly FieldOption[]): (label: string) => Found {
  const fold = (label: string): string => label.trim().toLowerCase();
  const exact = Map.groupBy(options, ({ label }) => label);
  const folded = Map.groupBy(options, ({ label }) => fold(label));
  const ids = new Map(options.map(({ id }) => [String(id), id]));
  return (label) => {
    const matches = exact.get(label) ?? folded.get(fold(label)) ?? [];
    const [match, another] = matches;
    if (another !== undefined) return { reason: 'option_ambiguous' };
    const id = match?.id ?? ids.get(label);
    return id === undefined ? { reason: 'option_unknown' } : { id };
  };
}

function optionWriter(options: readonly FieldOption[]): (label: string) => Conversion<FieldValue> {
  const find = findOption(options);
  return (label) => {
    const found = find(label);
    return 'id' in found ? { value: found.id } : withheld(found.reason);
  };
}

function optionsWriter(
  options: readonly FieldOption[],
): (labels: string[]) => Conversion<FieldValue> {
  const find = findOption(options);
  return (labels) => {
    const found = labels.map(find);
    const ids = [...new Set(found.flatMap((one) => ('id' in one ? one.id : [])))];
    const failed = found.find((one) => 'reason' in one);
    if (failed === undefined) return { value: toList(ids) };
    return ids.length === 0 ? withheld(failed.reason) : { value: toList(ids), loss: failed.reason };
  };
}

function toList(ids: readonly OptionId[]): number[] | string[] {
  const numbers = ids.filter((id) => typeof id === 'number');
  return numbers.length === ids.length ? numbers : ids.map(String);
}
