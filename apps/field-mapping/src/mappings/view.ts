import type {
  FieldDefinition,
  MappingProblem,
  MappingRow,
  MappingRowTarget,
  MergePolicy,
  VariableValue,
} from '@manifold/contracts';
import type { Suggestion } from '../matching/scoring/rules.ts';
import { labelOf, statusOf } from './rules.ts';

/** What a row's status and labels rest on. */
export interface About {
  catalogue: readonly FieldDefinition[];
  problems: readonly MappingProblem[];
  known: ReadonlySet<string>;
}

/** A row as the graph shows it. */
export const viewRow = (row: MappingRow, about: About) => ({
  id: row.id,
  source: viewSource(row.source, about.catalogue),
  target: viewTarget(row.target, about.catalogue),
  default: viewValue(row.default),
  required: row.required ?? false,
  createOnly: row.createOnly ?? false,
  ...statusOf(row, about),
});

export const viewSource = (
  source: MappingRow['source'],
  catalogue: readonly FieldDefinition[],
) => ({
  object: source.object.toUpperCase(),
  field: 'field' in source ? source.field : null,
  label: labelOf(source, catalogue),
  part: 'part' in source ? capitals(source.part) : null,
  value: source.object === 'constant' ? viewValue(source.value) : null,
});

export const viewTarget = (target: MappingRowTarget, catalogue: readonly FieldDefinition[]) => ({
  object: target.object.toUpperCase(),
  field: target.field,
  label: labelOf(target, catalogue),
  type: 'type' in target ? capitals(target.type) : null,
  part: 'part' in target ? capitals(target.part) : null,
});

export const capitals = (name: string | undefined): string | null => name?.toUpperCase() ?? null;

/** A target a field may get, as the graph shows it. */
export const viewSuggestion = (one: Suggestion, catalogue: readonly FieldDefinition[]) => ({
  ...one,
  target: viewTarget(one.target, catalogue),
});

/** A value in the one form that fits; null is no value. */
export function viewValue(value: VariableValue | undefined) {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return { text: value };
  if (typeof value === 'number') return { number: value };
  if (typeof value === 'boolean') return { boolean: value };
  if (Array.isArray(value)) {
    return { options: value.map((one) => (typeof one === 'string' ? one : one.value)) };
  }
  if ('amount' in value) {
    return { money: { amount: String(value.amount), currency: value.currency ?? '' } };
  }
  return { range: value };
}

export const viewPolicy = (policy: MergePolicy) => ({
  ...policy,
  existing: policy.existing.toUpperCase(),
});
