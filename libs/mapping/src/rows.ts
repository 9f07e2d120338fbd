import type {
  FieldDefinition,
  MappedValue,
  MappingProblem,
  MappingRow,
  MappingRowTarget,
  MappingSource,
  TargetKey,
  TargetObject,
  VariableType,
} from '@manifold/contracts';
import { type Convert, inTurn, isEmpty, type ToVariable } from './conversion.ts';
import { conversionOf } from './convert.ts';
import { joinedTypeOf } from './join.ts';
import {
  badFixedValue,
  noConversion,
  noJoin,
  noPart,
  type Obstacle,
  readOnly,
  unknownField,
  wrongDirection,
} from './obstacles.ts';
import { readingOf } from './read-field.ts';
import { typeOfValue } from './shapes.ts';
import { writingOf } from './write-field.ts';

/** Everything a row can take its value from. */
export type SourceObject = MappingRow['source']['object'];

/** A row that works: where its value comes from and what is done to it on the way. */
export interface CompiledRow {
  id: string;
  source: { object: SourceObject; field: string; constant: unknown };
  target: { object: TargetObject; field: string; key: TargetKey; part: MappingRowTarget['part'] };
  convert: Convert<MappedValue>;
  /** Already in the target's form. */
  default: MappedValue;
  createOnly: boolean;
  required: boolean;
}

/** The name of a row's target, `<object>.<field>`. */
export const targetKeyOf = ({
  object,
  field,
}: Pick<MappingRowTarget, 'object' | 'field'>): TargetKey => `${object}.${field}`;

/** Definitions by object and code. */
export type Catalogue = (object: string, code: string) => FieldDefinition | undefined;

/** The definitions a mapping brought along, for look-ups. */
export function catalogueOf(source: MappingSource): Catalogue {
  const fields = new Map(source.catalogue.map((field) => [`${field.object}.${field.code}`, field]));
  return (object, code) => fields.get(`${object}.${code}`);
}

type Checked = { row: CompiledRow } | { problem: MappingProblem };

/** One row checked against the catalogue and made ready, or why it cannot be. */
export function compileRow(
  row: MappingRow,
  direction: MappingSource['direction'],
  catalogue: Catalogue,
): Checked {
  const no = (obstacle: Obstacle): Checked => ({
    problem: { rowId: row.id, target: targetKeyOf(row.target), ...obstacle },
  });
  if (!runsIn(direction, row)) return no(wrongDirection(row.source.object, row.target.object));
  const source = sourceOf(row, catalogue);
  if ('code' in source) return no(source);
  const target = targetOf(row, catalogue);
  if ('code' in target) return no(target);
  const between = conversionOf(source.type, target.type);
  if (between === undefined) return no(noConversion(source.type, target.type));
  const convert = inTurn(inTurn(source.read, between), target.write);
  const fixed = checkFixed(row, convert, target);
  if ('code' in fixed) return no(fixed);
  const { object, field, part } = row.target;
  return {
    row: {
      id: row.id,
      source: {
        object: row.source.object,
        field: row.source.object === 'constant' ? '' : row.source.field,
        constant: row.source.object === 'constant' ? row.source.value : undefined,
      },
      target: { object, field, part, key: targetKeyOf(row.target) },
      convert,
      default: fixed.default,
      createOnly: row.createOnly ?? false,
      required: row.required ?? false,
    },
  };
}

interface Source {
  type: VariableType;
  read: ToVariable;
}

interface Target {
  type: VariableType;
  write: Convert<MappedValue>;
}

const isOurs = (object: string): object is 'contact' | 'account' =>
  object === 'contact' || object === 'account';

/** From Pipedrive rows end at a contact or account; to Pipedrive they end, and do not begin, there. */
function runsIn(direction: MappingSource['direction'], { source, target }: MappingRow): boolean {
  const isReferral = source.object === 'referral';
  if (direction === 'from_pipedrive') return !isReferral && isOurs(target.object);
  return (isReferral || source.object === 'constant') && !isOurs(target.object);
}

// a variable is read as it is; the conversion after it checks the shape
const asItIs: ToVariable = (value) => ({ value: value as never });

function sourceOf({ source }: MappingRow, catalogue: Catalogue): Source | Obstacle {
  if (source.object === 'constant' || source.object === 'referral') {
    return { type: source.type, read: asItIs };
  }
  const definition = catalogue(source.object, source.field);
  if (definition === undefined) return unknownField(source.object, source.field);
  const reading = readingOf(definition, source.part);
  return reading ?? noPart(definition, source.part);
}

function targetOf({ target }: MappingRow, catalogue: Catalogue): Target | Obstacle {
  if (isOurs(target.object)) {
    // narrowed by hand: only variables of ours carry a type
    const type = 'type' in target ? target.type : 'text';
    const partType = joinedTypeOf(type, target.part);
    return partType === undefined ? noJoin(type, target.part) : { type: partType, write: asItIs };
  }
  const definition = catalogue(target.object, target.field);
  if (definition === undefined) return unknownField(target.object, target.field);
  if (definition.readOnly) return readOnly(definition);
  const writing = writingOf(definition);
  if (writing === undefined) return noPart(definition, target.part);
  if (target.part === undefined) return writing;
  const partType = joinedTypeOf(writing.type, target.part);
  return partType === undefined
    ? noJoin(writing.type, target.part)
    : { type: partType, write: asItIs };
}

/** A fixed value that cannot be written is found now, not once per record. */
function checkFixed(
  row: MappingRow,
  convert: Convert<MappedValue>,
  target: Target,
): { default: MappedValue } | Obstacle {
  if (row.source.object === 'constant' && !isEmpty(row.source.value)) {
    const fixed = convert(row.source.value);
    if ('withheld' in fixed) return badFixedValue('The fixed value', fixed.withheld);
  }
  if (row.default === undefined || row.default === null) return { default: null };
  const between = conversionOf(typeOfValue(row.default), target.type);
  if (between === undefined) return badFixedValue('The default', 'shape_unexpected');
  const made = inTurn(between, target.write)(row.default);
  return 'withheld' in made ? badFixedValue('The default', made.withheld) : { default: made.value };
}
