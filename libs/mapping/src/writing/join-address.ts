import type { MappingPart } from '@manifold/contracts';
import type { Conversion } from '../converting/conversion.ts';
import type { Parts } from './parts.ts';

/** Words of one line are separated by spaces, lines by commas, as on an envelope. */
const LINES: readonly (readonly MappingPart[])[] = [
  ['route', 'street_number', 'subpremise'],
  ['sublocality'],
  ['postal_code', 'locality'],
  ['admin_area_level_2'],
  ['admin_area_level_1'],
  ['country'],
];

/** The text of an address; Pipedrive derives the parts from it, so they cannot be written alone. */
export function joinAddress(parts: Parts): Conversion<string | null> {
  if (typeof parts.value === 'string') return { value: parts.value };
  const lines = LINES.map((line) => line.flatMap((part) => textOf(parts[part])).join(' ')).filter(
    (line) => line !== '',
  );
  return { value: lines.length === 0 ? null : lines.join(', ') };
}

const textOf = (value: unknown): string[] => (typeof value === 'string' ? [value.trim()] : []);
