import type {
  MappingProblem,
  MappingSource,
  TargetKey,
  TargetObject,
  VariableType,
} from '@manifold/contracts';
import { isJson } from '../converting/field-shapes.ts';
import type { Calculated, CompiledRow, SourceObject } from '../running/compiled-row.ts';
import { type MappedRecord, mapRecord } from '../running/map-record.ts';
import { catalogueOf, compileRow, targetKeyOf } from './rows.ts';
import { createTakenTargets, rowTwice, targetTwice } from './twice.ts';

/** A record of Pipedrive, or a sign-up of a referral campaign by its fields. */
export interface MappingInput {
  object: Exclude<SourceObject, 'constant' | 'calculated'>;
  fields: Readonly<Record<string, unknown>>;
}

/** An expression somebody has to evaluate for every record, and what its result has to be. */
export interface NeededExpression {
  rowId: string;
  expression: string;
  type: VariableType;
}

export interface CompiledMapping {
  /** One per row that cannot be used. */
  problems: MappingProblem[];
  /** One per calculated row that can be used; their results go into `map`. */
  expressions: NeededExpression[];
  /**
   * Maps one record through every row that can be used. Never throws. `calculated` holds what
   * became of `expressions` by row; one that failed or is not there costs its own row only (SL-48).
   */
  map: (
    input: MappingInput,
    given?: { calculated?: Readonly<Record<string, Calculated>> },
  ) => MappedRecord;
  /** The keys of a record no row reads, whose values go nowhere (RS-25, WX-34). */
  unmappedKeys: (input: MappingInput) => string[];
}

/** Makes a mapping ready for use. Never throws: what is wrong with it is in `problems`. */
export function compile(source: MappingSource): CompiledMapping {
  const { rows, problems } = compileRows(source);
  const works = new Set(rows.map(({ id }) => id));
  const rowsOf = remembered((object) => rowsFor(rows, object));
  const readKeys = remembered((object) => keysRead(source, works, object));
  return {
    problems,
    expressions: source.rows.flatMap(({ id, source: from }) =>
      from.object === 'calculated' && works.has(id)
        ? [{ rowId: id, expression: from.expression, type: from.type }]
        : [],
    ),
    map: ({ object, fields }, { calculated = {} } = {}) =>
      mapRecord(rowsOf(object), { fields: isJson(fields) ? fields : {}, calculated }),
    unmappedKeys: ({ object, fields }) =>
      Object.keys(fields).filter((key) => !readKeys(object).has(key)),
  };
}

type Compiled = { rows: CompiledRow[]; problems: MappingProblem[] };

function compileRows(source: MappingSource): Compiled {
  const catalogue = catalogueOf(source);
  const problems: MappingProblem[] = [];
  const rows: CompiledRow[] = [];
  const ids = new Set<string>();
  const targets = createTakenTargets();
  for (const row of source.rows) {
    const checked = compileRow(row, source.direction, catalogue);
    const target: TargetKey = targetKeyOf(row.target);
    if ('problem' in checked) problems.push(checked.problem);
    else if (ids.has(row.id)) problems.push(rowTwice(row.id, target));
    else if (!targets.take(checked.row)) problems.push(targetTwice(row.id, target));
    else rows.push(checked.row);
    ids.add(row.id);
  }
  return { rows, problems };
}

/** Made once per kind of input. */
function remembered<Made>(
  make: (object: MappingInput['object']) => Made,
): (object: MappingInput['object']) => Made {
  const made = new Map<MappingInput['object'], Made>();
  return (object) => {
    const known = made.get(object) ?? make(object);
    made.set(object, known);
    return known;
  };
}

const isFree = ({ source }: CompiledRow): boolean =>
  source === 'constant' || source === 'calculated';

/** Permissions are a contact's. */
const ownerOf = (object: TargetObject): TargetObject =>
  object === 'permission' ? 'contact' : object;

/** The rows of one kind of source, with the constants and calculations of the targets it fills. */
function rowsFor(rows: readonly CompiledRow[], object: MappingInput['object']): CompiledRow[] {
  const feeders = rows.filter((row) => !isFree(row));
  const feeds = (target: TargetObject): boolean => {
    const feeding = feeders.filter((row) => ownerOf(row.target.object) === ownerOf(target));
    return feeding.length === 0 || feeding.some(({ source }) => source === object);
  };
  return rows.filter((row) => (isFree(row) ? feeds(row.target.object) : row.source === object));
}

function keysRead(
  source: MappingSource,
  works: ReadonlySet<string>,
  object: MappingInput['object'],
): Set<string> {
  return new Set(
    source.rows.flatMap((row) =>
      row.source.object === object && works.has(row.id) ? [row.source.field] : [],
    ),
  );
}
