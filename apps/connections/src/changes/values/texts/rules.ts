import type { FieldDefinition, FieldValue, MonetaryValue, OptionId } from '@manifold/contracts';

/** A value as people read it in Pipedrive: labels of options, an amount with its currency, the addresses of a list. Null when it is blank. */
export function textOf(field: FieldDefinition | undefined, value: FieldValue): string | null {
  if (value === null || value === '') return null;
  if (Array.isArray(value)) {
    const items = value.map((item) =>
      typeof item === 'object' ? item.value : nameOf(field, item),
    );
    return items.length === 0 ? null : items.join(', ');
  }
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value !== 'object') return nameOf(field, value);
  if ('currency' in value) return moneyText(value);
  if ('until' in value) {
    const ends = [value.value, value.until].map((end) => end ?? '…');
    return value.value === null && value.until === null ? null : ends.join(' – ');
  }
  return value.value === '' ? null : value.value;
}

/** What is no option is shown as it is: ids of other records, numbers, text. */
const nameOf = (field: FieldDefinition | undefined, value: OptionId): string =>
  field?.options?.find(({ id }) => String(id) === String(value))?.label ?? String(value);

function moneyText({ value, currency }: MonetaryValue): string {
  const fixed = value.toFixed(currency === null ? 2 : digitsOf(currency));
  // never rounded
  const amount = Number(fixed) === value ? fixed : String(value);
  return currency === null ? amount : `${amount} ${currency}`;
}

function digitsOf(currency: string): number {
  if (!/^[A-Za-z]{3}$/.test(currency)) return 2;
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}
