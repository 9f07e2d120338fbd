import type { FieldDefinition, FieldValue, Money, Range, VariableType } from '@manifold/contracts';
import { type Conversion, type ToField, unchanged, withheld } from '../converting/conversion.ts';
import { cutText, readCurrency } from '../converting/texts.ts';
import { isReference, variableTypeOf } from '../reading/field-types.ts';
import { optionsWriter, optionWriter } from './write-option.ts';

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
      return numberWriter(field);
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
    case 'date':
    case 'datetime':
    case 'email_list':
    case 'phone_list':
      return unchanged;
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

function numberWriter(field: FieldDefinition): ToField {
  if (field.type === 'double') return unchanged;
  return given<number>(isReference(field) ? writeReference : writeWhole);
}

const writeWhole = (number: number): Conversion<FieldValue> =>
  Number.isInteger(number) ? { value: number } : { value: Math.round(number), loss: 'rounded' };

/** Rounded, a reference would name somebody else. */
const writeReference = (id: number): Conversion<FieldValue> =>
  Number.isSafeInteger(id) && id > 0 ? { value: id } : withheld('not_a_reference');

/** Without a currency Pipedrive would take the user's own, which may be wrong by far. */
function writeMoney({ amount, currency }: Money): Conversion<FieldValue> {
  if (currency === null) return withheld('currency_missing');
  const code = readCurrency(currency);
  return code === undefined
    ? withheld('not_a_currency')
    : { value: { value: amount, currency: code } };
}
