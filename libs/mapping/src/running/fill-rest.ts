import type { MappedValue, MappingLoss, TargetKey } from '@manifold/contracts';
import { isEmpty } from '../converting/conversion.ts';
import type { Parts } from '../writing/parts.ts';
import type { CompiledRow, RowTarget } from './compiled-row.ts';
import { isFilled, type MappedValues, put } from './values.ts';

/** A row that is more than one value for one target: a part, a default, or one for creation only. */
export interface Rest {
  row: CompiledRow;
  value: MappedValue | undefined;
}

interface Joining {
  row: CompiledRow;
  part: NonNullable<RowTarget['part']>;
  parts: Parts;
}

/** Parts that wait for each other, by target. */
type Joinings = Map<TargetKey, Joining>;

/** What counts on creation only, by target. */
type Created = Map<TargetKey, { target: RowTarget; value: MappedValue }>;

/** Fills in what these rows give and answers what counts on creation only. */
export function fillRest(
  rest: readonly Rest[],
  values: MappedValues,
  losses: MappingLoss[],
): MappedValues {
  const created: Created = new Map();
  const always: Joinings = new Map();
  const onCreation: Joinings = new Map();
  for (const { row, value } of rest) {
    if (row.target.part === undefined) fillWhole({ row, value }, values, created);
    else fillPart({ row, value }, always, onCreation);
  }
  for (const joining of always.values()) {
    const value = join(joining, losses);
    if (value !== undefined) put(values, joining.row.target, value);
  }
  for (const joining of onCreation.values()) {
    // what is lost was said above
    const value = join(joining, []);
    if (value !== undefined) {
      created.set(joining.row.target.key, { target: joining.row.target, value });
    }
  }
  const createOnly: MappedValues = {};
  for (const { target, value } of created.values()) {
    if (!isFilled(values, target)) put(createOnly, target, value);
  }
  return createOnly;
}

function fillWhole({ row, value }: Rest, values: MappedValues, created: Created): void {
  const { target, createOnly } = row;
  if (value !== undefined && !createOnly) put(values, target, value);
  const first = createOnly && !isEmpty(value) ? value : row.default;
  if (first === undefined || isEmpty(first)) return;
  if (createOnly || isEmpty(value)) created.set(target.key, { target, value: first });
}

/** On creation a part's default may complete what other rows gave: an amount and a fixed currency. */
function fillPart({ row, value }: Rest, always: Joinings, onCreation: Joinings): void {
  if (value !== undefined && !row.createOnly) putPart(always, row, value);
  const first = isEmpty(value) ? row.default : value;
  if (first !== undefined && !isEmpty(first)) putPart(onCreation, row, first);
}

function putPart(joinings: Joinings, row: CompiledRow, value: MappedValue): void {
  const { key, part } = row.target;
  if (part === undefined) return;
  const begun = joinings.get(key) ?? { row, part, parts: {} };
  begun.parts[part.name] = value;
  joinings.set(key, begun);
}

/** A loss belongs to the first row of the target. */
function join({ row, part, parts }: Joining, losses: MappingLoss[]): MappedValue | undefined {
  const joined = part.join(parts);
  if ('withheld' in joined) {
    losses.push({ rowId: row.id, reason: joined.withheld, withheld: true });
    return undefined;
  }
  const { value, loss } = joined;
  if (loss !== undefined) losses.push({ rowId: row.id, reason: loss, withheld: false });
  return value;
}
