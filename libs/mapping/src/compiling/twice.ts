import type { MappingProblem, TargetKey } from '@manifold/contracts';
import type { CompiledRow } from '../running/compiled-row.ts';

const WHOLE = 'whole';

/** Two rows on one target would leave the winner to chance (WX-31); a create-only row beside another is no clash. */
export function createTakenTargets(): { take: (row: CompiledRow) => boolean } {
  const partsTaken = new Map<string, Set<string>>();
  return {
    take({ target, createOnly }) {
      const key = `${target.key} ${createOnly}`;
      const taken = partsTaken.get(key) ?? new Set();
      const part = target.part?.name ?? WHOLE;
      if (taken.has(part) || taken.has(WHOLE) || (part === WHOLE && taken.size > 0)) return false;
      partsTaken.set(key, taken.add(part));
      return true;
    },
  };
}

export const rowTwice = (rowId: string, target: TargetKey): MappingProblem => ({
  rowId,
  code: 'row_twice',
  target,
  cause: `Another row has the id ${rowId}.`,
  fix: 'Give every row an id of its own.',
});

export const targetTwice = (rowId: string, target: TargetKey): MappingProblem => ({
  rowId,
  code: 'target_twice',
  target,
  cause: `Another row already fills ${target}.`,
  fix: 'Remove one of the two rows, or choose another target.',
});
