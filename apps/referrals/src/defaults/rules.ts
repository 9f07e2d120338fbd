import {
  type FieldDefinition,
  type MappingRow,
  ReasonCode,
  type VariableType,
  type VariableValue,
} from '@manifold/contracts';
import { Refusal, type RefusalDetail } from '@manifold/errors';
import { compile, excerptCatalogue, isValueOf } from '@manifold/mapping';
import type { Defaults } from '../store.ts';

/** A fixed value for a field of a new record. */
export interface Default {
  object: 'person' | 'lead';
  field: string;
  value: VariableValue;
}

/** Defaults as rows that count on creation only (RF-19, RF-20), with what is wrong with them. */
export function readDefaults(
  given: readonly Default[],
  catalogue: readonly FieldDefinition[],
): { defaults: Defaults; refusal: Refusal | undefined } {
  const rows = given.map(rowOf);
  const defaults = { rows, catalogue: excerptCatalogue(rows, catalogue) };
  const policy = {
    existing: 'overwrite' as const,
    createMissing: true,
    ignoreEmpty: true,
    protected: [],
    protectFilled: false,
  };
  const { problems } = compile({ direction: 'to_pipedrive', policy, ...defaults });
  const issues = problems.map(({ rowId, code, cause, fix }) => ({
    field: `input.defaults.${rows.findIndex(({ id }) => id === rowId)}`,
    message: cause,
    code,
    fix,
  }));
  const [first] = issues;
  if (first === undefined) return { defaults, refusal: undefined };
  const detail: RefusalDetail & { issues: typeof issues } = {
    reason: ReasonCode.safeParse(first.code).data ?? 'invalid_input',
    field: first.field,
    fix: first.fix,
    issues,
  };
  const causes = issues.slice(0, 5).map(({ message }) => message);
  const message = `The defaults cannot be saved: ${causes.join(' ')}`;
  return { defaults, refusal: new Refusal('invalid', message, detail) };
}

const rowOf = ({ object, field, value }: Default, index: number): MappingRow => ({
  id: `default.${index}.${object}.${field}`.slice(0, 100),
  source: { object: 'constant', value, type: typeOf(value) },
  target: { object, field },
  createOnly: true,
});

function typeOf(value: VariableValue): VariableType {
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (Array.isArray(value)) return 'multiple_options';
  if (value === null || typeof value === 'string') return 'text';
  if ('amount' in value) return 'money';
  return isValueOf('time_range', value) ? 'time_range' : 'date_range';
}
