import type { FieldDefinition, MappedValue, MappingPart, VariableType } from '@manifold/contracts';
import { type Conversion, isEmpty, withheld } from './conversion.ts';
import { writingOf } from './write-field.ts';

const joinable: Partial<Record<VariableType, Partial<Record<MappingPart, VariableType>>>> = {
  money: { amount: 'number', currency: 'text' },
  date_range: { start: 'date', end: 'date' },
  time_range: { start: 'time', end: 'time' },
};

/** The type a part of a composite takes; the whole type without a part; undefined for no such part. */
export const joinedTypeOf = (
  type: VariableType,
  part: MappingPart | undefined,
): VariableType | undefined => (part === undefined ? type : joinable[type]?.[part]);

/** The values rows gave for the parts of one target. */
export type Parts = Partial<Record<MappingPart, MappedValue>>;

/** Puts a composite together: a variable's value, or with a definition a field's. */
export function joinParts(
  parts: Parts,
  field: FieldDefinition | undefined,
): Conversion<MappedValue> {
  const joined = 'amount' in parts || 'currency' in parts ? joinMoney(parts) : joinRange(parts);
  if ('withheld' in joined || joined.value === null || field === undefined) return joined;
  return writingOf(field)?.write(joined.value) ?? withheld('shape_unexpected');
}

function joinMoney({ amount, currency }: Parts): Conversion<MappedValue> {
  if (typeof amount === 'number') {
    return { value: { amount, currency: typeof currency === 'string' ? currency : null } };
  }
  return isEmpty(currency) ? { value: null } : withheld('amount_missing');
}

function joinRange({ start, end }: Parts): Conversion<MappedValue> {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  const range = { start: text(start), end: text(end) };
  return { value: range.start === null && range.end === null ? null : range };
}
