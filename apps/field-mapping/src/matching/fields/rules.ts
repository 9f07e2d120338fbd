import {
  type FieldDefinition,
  type MappingPart,
  type MappingProblem,
  type MappingPurpose,
  type MappingRow,
  type PipedriveObject,
  referralFields,
  VariableType,
} from '@manifold/contracts';
import { isConvertible, partsOf, variableTypeOf } from '@manifold/mapping';
import { objectsOf } from '../rules.ts';

/** A field, or a part of one, that a row could read. */
export interface SourceField {
  object: PipedriveObject | 'referral';
  field: string;
  part: MappingPart | undefined;
  label: string;
  /** Undefined: no value of it can be taken. */
  type: VariableType | undefined;
}

/** What a part of a composite holds; parts of an address are text. */
const partTypes: Partial<Record<VariableType, VariableType>> = {
  date_range: 'date',
  time_range: 'time',
  email_list: 'email',
  phone_list: 'phone',
};

/** What a field, or the named part of it, holds. */
export function typeOfPart(field: FieldDefinition, part: string | undefined): VariableType {
  const whole = variableTypeOf(field) ?? 'text';
  if (!partsOf(field).some((known) => known === part) || part === 'list') return whole;
  return part === 'amount' ? 'number' : (partTypes[whole] ?? 'text');
}

/** Everything the rows of a mapping could read: fields in the catalogue's order, each with its parts. */
export function listSourceFields(
  purpose: MappingPurpose,
  catalogue: readonly FieldDefinition[],
): SourceField[] {
  if (purpose === 'REFERRALS_TO_PIPEDRIVE') {
    return Object.entries(referralFields).map(([field, { label, type }]) => ({
      ...{ object: 'referral' as const, field, part: undefined },
      ...{ label, type },
    }));
  }
  const objects = objectsOf(purpose);
  return catalogue.filter(({ object }) => objects.includes(object)).flatMap(fieldAndParts);
}

const fieldAndParts = (field: FieldDefinition): SourceField[] => {
  const { object, code, name } = field;
  const parts = partsOf(field).filter((part) => part !== 'list');
  return [
    { object, field: code, part: undefined, label: name, type: variableTypeOf(field) },
    ...parts.map((part) => ({
      ...{ object, field: code, part },
      ...{ label: `${name}/${part}`, type: typeOfPart(field, part) },
    })),
  ];
};

/** Whether one of the rows reads it, and if not, whether one could (WX-29, WX-32). */
export type FieldMatch =
  | { source: SourceField; status: 'GREEN'; cause: null; rows: MappingRow[] }
  | { source: SourceField; status: 'GRAY' | 'RED'; cause: string; rows: MappingRow[] };

/** The match of every field: green it is taken over, gray it could be, red it cannot. */
export function matchFields(
  { purpose, rows }: { purpose: MappingPurpose; rows: readonly MappingRow[] },
  about: { catalogue: readonly FieldDefinition[]; problems: readonly MappingProblem[] },
): FieldMatch[] {
  return listSourceFields(purpose, about.catalogue).map((source) => {
    const reading = rows.filter((row) => isRead(source, row));
    const problem = about.problems.find(({ rowId }) => reading.some(({ id }) => id === rowId));
    if (problem) return { source, status: 'RED', cause: problem.cause, rows: reading };
    if (reading.length > 0) return { source, status: 'GREEN', cause: null, rows: reading };
    return source.type === undefined
      ? { source, status: 'RED', cause: 'Fields of this type cannot be mapped.', rows: [] }
      : { source, status: 'GRAY', cause: 'Not matched: it is not taken over.', rows: [] };
  });
}

function isRead({ object, field, part }: SourceField, { source }: MappingRow): boolean {
  if (source.object !== object || !('field' in source) || source.field !== field) return false;
  const read = 'part' in source && source.part !== 'list' ? source.part : undefined;
  return read === part;
}

/** The types of variable a source's values can become, its own first (WX-33). */
export const typesFor = ({ type }: SourceField): VariableType[] =>
  type === undefined
    ? []
    : [type, ...VariableType.options.filter((to) => to !== type && isConvertible(type, to))];
