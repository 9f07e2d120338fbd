import type { MappingProblem, MappingSource, TargetKey, TargetObject } from '@manifold/contracts';
import { type MappedRecord, mapRecord } from './map-record.ts';
import {
  catalogueOf,
  type CompiledRow,
  compileRow,
  type SourceObject,
  targetKeyOf,
} from './rows.ts';

/** A record of Pipedrive, or a sign-up of a referral campaign by its fields. */
export interface MappingInput {
  object: Exclude<SourceObject, 'constant'>;
  fields: Readonly<Record<string, unknown>>;
}

export interface CompiledMapping {
  /** One per row that cannot be used. */
  problems: MappingProblem[];
  /** Maps one record through every row that can be used. Never throws. */
  map: (input: MappingInput) => MappedRecord;
}

/** Makes a mapping ready for use. Never throws: what is wrong with it is in `problems`. */
export function compile(source: MappingSource): CompiledMapping {
  const catalogue = catalogueOf(source);
  const problems: MappingProblem[] = [];
  const rows: CompiledRow[] = [];
  const ids = new Set<string>();
  const targets = createTakenTargets();
  for (const row of source.rows) {
    const checked = compileRow(row, source.direction, catalogue);
    const target = targetKeyOf(row.target);
    if ('problem' in checked) problems.push(checked.problem);
    else if (ids.has(row.id)) problems.push(rowTwice(row.id, target));
    else if (!targets.take(checked.row)) problems.push(targetTwice(row.id, target));
    else rows.push(checked.row);
    ids.add(row.id);
  }
  const rowsOf = new Map<string, CompiledRow[]>();
  return {
    problems,
    map(input) {
      const its = rowsOf.get(input.object) ?? rowsFor(rows, input.object);
      rowsOf.set(input.object, its);
      return mapRecord(its, input.fields, catalogue);
    },
  };
}

const WHOLE = 'whole';

/** Two rows on one target would leave the winner to chance; a create-only row beside another is no clash. */
function createTakenTargets(): { take: (row: CompiledRow) => boolean } {
  const partsTaken = new Map<string, Set<string>>();
  return {
    take({ target, createOnly }) {
      const key = `${target.key} ${createOnly}`;
      const taken = partsTaken.get(key) ?? new Set();
      const part = target.part ?? WHOLE;
      if (taken.has(part) || taken.has(WHOLE) || (part === WHOLE && taken.size > 0)) return false;
      partsTaken.set(key, taken.add(part));
      return true;
    },
  };
}

const rowTwice = (rowId: string, target: TargetKey): MappingProblem => ({
  rowId,
  code: 'row_twice',
  target,
  cause: `Another row has the id ${rowId}.`,
  fix: 'Give every row an id of its own.',
});

const targetTwice = (rowId: string, target: TargetKey): MappingProblem => ({
  rowId,
  code: 'target_twice',
  target,
  cause: `Another row already fills ${target}.`,
  fix: 'Remove one of the two rows, or choose another target.',
});

/** The rows of one kind of source, with the constants of the targets that kind fills. */
function rowsFor(rows: readonly CompiledRow[], object: MappingInput['object']): CompiledRow[] {
  const feeders = rows.filter(({ source }) => source.object !== 'constant');
  const feeds = (target: TargetObject): boolean => {
    const feeding = feeders.filter((row) => row.target.object === target);
    return feeding.length === 0 || feeding.some(({ source }) => source.object === object);
  };
  return rows.filter(({ source, target }) =>
    source.object === 'constant' ? feeds(target.object) : source.object === object,
  );
}
