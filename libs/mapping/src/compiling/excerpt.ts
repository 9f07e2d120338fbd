import type { FieldDefinition, MappingRow } from '@manifold/contracts';

/** The part of a catalogue the rows rest on: what travels with a published mapping. */
export function excerptCatalogue(
  rows: readonly MappingRow[],
  catalogue: readonly FieldDefinition[],
): FieldDefinition[] {
  const named = new Set(
    rows.flatMap(({ source, target }) => [
      'field' in source ? `${source.object}.${source.field}` : '',
      `${target.object}.${target.field}`,
    ]),
  );
  return catalogue.filter(({ object, code }) => named.has(`${object}.${code}`));
}

/** The fields of one object a mapping reads: what to ask connections for. */
export function sourceFieldsOf(
  rows: readonly MappingRow[],
  object: FieldDefinition['object'],
): string[] {
  const codes = rows.flatMap(({ source }) => (source.object === object ? [source.field] : []));
  return [...new Set(codes)];
}
