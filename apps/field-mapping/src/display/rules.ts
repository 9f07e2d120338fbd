import type {
  ConnectionId,
  FieldMappingId,
  MappingSource,
  VariableType,
} from '@manifold/contracts';
import { labelOf } from '../mappings/rules.ts';
import type { DisplayConfig } from '../store.ts';

/** Where the values of a variable come from (OR-54). */
export interface FieldSource {
  connectionId: ConnectionId;
  mappingId: FieldMappingId;
  label: string;
}

export interface DisplayField {
  field: string;
  label: string;
  type: VariableType;
  sources: FieldSource[];
}

export interface Published {
  mappingId: FieldMappingId;
  connectionId: ConnectionId;
  source: MappingSource;
}

/** Every variable published mappings fill, in the order of their rows, with all it comes from. */
export function mappedFields(
  object: DisplayConfig['object'],
  published: readonly Published[],
): DisplayField[] {
  const fields = new Map<string, DisplayField>();
  for (const { mappingId, connectionId, source } of published) {
    for (const row of source.rows) {
      const { target } = row;
      if (target.object !== object.toLowerCase() || !('type' in target)) continue;
      const known = fields.get(target.field) ?? {
        ...{ field: target.field, label: labelOf(target, []), type: target.type, sources: [] },
      };
      const from = { connectionId, mappingId, label: labelOf(row.source, source.catalogue) };
      fields.set(target.field, { ...known, sources: [...known.sources, from] });
    }
  }
  return [...fields.values()];
}

/** What somebody wants to see, as far as it is still mapped; everything when nothing was chosen. */
export function shownFields(
  available: readonly DisplayField[],
  chosen: readonly string[] | undefined,
): DisplayField[] {
  if (chosen === undefined) return [...available];
  return chosen.flatMap((field) => available.find((one) => one.field === field) ?? []);
}

/** The names in a choice that cannot be shown, or stand in it twice. */
export const wrongNames = (
  available: readonly DisplayField[],
  chosen: readonly string[],
): { at: number; field: string }[] =>
  chosen.flatMap((field, at) =>
    chosen.indexOf(field) === at && available.some((one) => one.field === field)
      ? []
      : [{ at, field }],
  );
