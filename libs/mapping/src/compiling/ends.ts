import type {
  FieldDefinition,
  MappedValue,
  MappingRow,
  MappingSource,
  VariableType,
} from '@manifold/contracts';
import { type Convert, type ToVariable, unchanged } from '../converting/conversion.ts';
import { permissionOf } from '../converting/permissions.ts';
import { readingAs } from '../converting/shapes.ts';
import { conversionOf } from '../converting/table.ts';
import { readingOf } from '../reading/read-field.ts';
import type { RowTarget } from '../running/compiled-row.ts';
import { joiningOf } from '../writing/join.ts';
import { writingOf } from '../writing/write-field.ts';
import { noJoin, noPart, type Obstacle, readOnly, unknownField } from './obstacles.ts';

/** Definitions by object and code. */
export type Catalogue = (object: string, code: string) => FieldDefinition | undefined;

/** The end of a row a value comes from. */
export interface Source {
  type: VariableType;
  /** What it answers fits the type. */
  read: ToVariable;
}

/** The end of a row a value goes to. */
export interface Target {
  type: VariableType | 'permission';
  /** How a value of a type becomes one of the target's; undefined when it cannot. */
  convert: (source: VariableType) => Convert<MappedValue> | undefined;
  write: Convert<MappedValue>;
  part: RowTarget['part'];
}

const isOurs = (object: string): boolean => ['contact', 'account', 'permission'].includes(object);
const isPipedrives = ({ source }: MappingRow): boolean =>
  !['referral', 'constant', 'calculated'].includes(source.object);

/** From Pipedrive rows end at what is ours; to Pipedrive they end, and do not begin, there. */
export const runsIn = (direction: MappingSource['direction'], row: MappingRow): boolean =>
  direction === 'from_pipedrive'
    ? row.source.object !== 'referral' && isOurs(row.target.object)
    : !isPipedrives(row) && !isOurs(row.target.object);

export function sourceOf({ source }: MappingRow, catalogue: Catalogue): Source | Obstacle {
  if ('type' in source) return { type: source.type, read: readingAs(source.type) };
  const definition = catalogue(source.object, source.field);
  if (definition === undefined) return unknownField(source.object, source.field);
  return readingOf(definition, source.part) ?? noPart(definition, source.part);
}

export function targetOf({ target }: MappingRow, catalogue: Catalogue): Target | Obstacle {
  if (target.object === 'permission') {
    return { type: 'permission', convert: permissionOf, write: unchanged, part: undefined };
  }
  // only variables of ours carry a type
  if ('type' in target) return variableTarget(target.type, target.part);
  const definition = catalogue(target.object, target.field);
  if (definition === undefined) return unknownField(target.object, target.field);
  if (definition.readOnly) return readOnly(definition);
  const writing = writingOf(definition);
  if (writing === undefined) return noPart(definition, target.part);
  if (target.part !== undefined) return partTarget({ field: definition }, target.part);
  return typed(writing.type, writing.write);
}

const typed = (type: VariableType, write: Convert<MappedValue>): Target => ({
  type,
  convert: (source) => conversionOf(source, type),
  write,
  part: undefined,
});

type Part = NonNullable<RowTarget['part']>['name'];

const variableTarget = (type: VariableType, part: Part | undefined): Target | Obstacle =>
  part === undefined ? typed(type, unchanged) : partTarget({ type }, part);

function partTarget(
  end: { type: VariableType } | { field: FieldDefinition },
  part: Part,
): Target | Obstacle {
  const joining = joiningOf(end, part);
  if (joining === undefined) return noJoin('field' in end ? end.field.type : end.type, part);
  return { ...typed(joining.type, unchanged), part: { name: part, join: joining.join } };
}
