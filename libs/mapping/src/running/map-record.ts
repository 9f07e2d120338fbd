import type { MappedValue, MappingLoss, TargetKey } from '@manifold/contracts';
import { isEmpty } from '../converting/conversion.ts';
import type { CompiledRow, Given } from './compiled-row.ts';
import { fillRest, type Rest } from './fill-rest.ts';
import { isFilled, type MappedValues, put } from './values.ts';

export interface MappedRecord {
  values: MappedValues;
  /** For creation only; never holds a target that `values` fills. */
  createOnlyValues: MappedValues;
  losses: MappingLoss[];
  /** Required targets nothing filled. */
  missing: TargetKey[];
}

/** One record through rows that were made for its kind. */
export function mapRecord(rows: readonly CompiledRow[], given: Given): MappedRecord {
  const losses: MappingLoss[] = [];
  const values: MappedValues = {};
  const rest: Rest[] = [];
  for (const row of rows) {
    const value = valueOf(row, given, losses);
    if (!row.plain) rest.push({ row, value });
    else if (value !== undefined) put(values, row.target, value);
  }
  const createOnlyValues = rest.length === 0 ? {} : fillRest(rest, values, losses);
  const missing: TargetKey[] = [];
  for (const { required, target } of rows) {
    if (!required || isFilled(values, target) || isFilled(createOnlyValues, target)) continue;
    if (!missing.includes(target.key)) missing.push(target.key);
  }
  return { values, createOnlyValues, losses, missing };
}

/** Undefined: the record says nothing about it, or what it says was withheld. */
function valueOf(
  { id, answer }: CompiledRow,
  given: Given,
  losses: MappingLoss[],
): MappedValue | undefined {
  const answered = answer(given);
  if (answered === undefined) return undefined;
  if ('withheld' in answered) {
    losses.push({ rowId: id, reason: answered.withheld, withheld: true });
    return undefined;
  }
  const { value, loss } = answered;
  if (loss !== undefined) losses.push({ rowId: id, reason: loss, withheld: false });
  return isEmpty(value) ? null : value;
}
