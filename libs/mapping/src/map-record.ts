import type {
  FieldValue,
  LossReason,
  MappedValue,
  MappingLoss,
  TargetKey,
  TargetObject,
  VariableValue,
} from '@manifold/contracts';
import { isEmpty } from './conversion.ts';
import { joinParts, type Parts } from './join.ts';
import type { Catalogue, CompiledRow } from './rows.ts';

/** Values by target object, then by variable key or field code. Null says "known to be empty". */
export type MappedValues = {
  [Target in TargetObject]?: Record<
    string,
    Target extends 'contact' | 'account' ? VariableValue : FieldValue
  >;
};

export interface MappedRecord {
  values: MappedValues;
  /** For creation only; never holds a target that `values` fills. */
  createOnlyValues: MappedValues;
  losses: MappingLoss[];
  /** Required targets nothing filled. */
  missing: TargetKey[];
}

type Target = CompiledRow['target'];
type Lose = (rowId: string, reason: LossReason, withheld: boolean) => void;

interface Join {
  target: Target;
  rowId: string;
  parts: Parts;
  usesDefault: boolean;
}

/** What has been filled so far: whole values, and parts that wait for each other. */
interface Sheet {
  values: Map<string, { target: Target; value: MappedValue }>;
  joins: Map<string, Join>;
}

/** One record through rows that were made for its kind. */
export function mapRecord(
  rows: readonly CompiledRow[],
  fields: Readonly<Record<string, unknown>>,
  catalogue: Catalogue,
): MappedRecord {
  const losses: MappingLoss[] = [];
  const lose: Lose = (rowId, reason, withheld) => losses.push({ rowId, reason, withheld });
  const always: Sheet = { values: new Map(), joins: new Map() };
  const onCreate: Sheet = { values: new Map(), joins: new Map() };
  for (const row of rows) {
    const value = valueOf(row, fields, lose);
    if (row.target.part !== undefined) fillPart({ row, value, always, onCreate });
    else fillWhole({ row, value, always, onCreate });
  }
  join([...always.joins], always, catalogue, lose);
  const completed = [...onCreate.joins].filter(([, { usesDefault }]) => usesDefault);
  join(completed, onCreate, catalogue, () => undefined);
  for (const [key, { value }] of always.values) if (!isEmpty(value)) onCreate.values.delete(key);
  const filled = (row: CompiledRow): boolean =>
    [always, onCreate].some(({ values }) => !isEmpty(values.get(row.target.key)?.value));
  const missing = rows
    .filter((row) => row.required && !filled(row))
    .map(({ target }) => target.key);
  return {
    values: valuesIn(always),
    createOnlyValues: valuesIn(onCreate),
    losses,
    missing: [...new Set(missing)],
  };
}

/** Undefined: the record says nothing about it, or what it says was withheld. */
function valueOf(
  { id, source, convert }: CompiledRow,
  fields: Readonly<Record<string, unknown>>,
  lose: Lose,
): MappedValue | undefined {
  const raw = source.object === 'constant' ? source.constant : ownValue(fields, source.field);
  if (raw === undefined) return undefined;
  if (isEmpty(raw)) return null;
  const converted = convert(raw);
  if ('withheld' in converted) {
    lose(id, converted.withheld, true);
    return undefined;
  }
  if (converted.loss !== undefined) lose(id, converted.loss, false);
  return converted.value;
}

const ownValue = (fields: Readonly<Record<string, unknown>>, field: string): unknown =>
  typeof fields === 'object' && fields !== null && Object.hasOwn(fields, field)
    ? fields[field]
    : undefined;

interface Filling {
  row: CompiledRow;
  value: MappedValue | undefined;
  always: Sheet;
  onCreate: Sheet;
}

function fillWhole({ row, value, always, onCreate }: Filling): void {
  const { target, createOnly } = row;
  if (value !== undefined && !createOnly) always.values.set(target.key, { target, value });
  const first = createOnly && !isEmpty(value) ? value : row.default;
  if (first === undefined || isEmpty(first)) return;
  if (createOnly || isEmpty(value)) onCreate.values.set(target.key, { target, value: first });
}

/** On creation a part's default may complete what other rows gave: an amount and a fixed currency. */
function fillPart({ row, value, always, onCreate }: Filling): void {
  if (value !== undefined && !row.createOnly) put(always, row, value, false);
  if (value !== undefined && !isEmpty(value)) put(onCreate, row, value, row.createOnly);
  else if (!isEmpty(row.default)) put(onCreate, row, row.default, true);
}

function put(
  sheet: Sheet,
  { id, target }: CompiledRow,
  value: MappedValue,
  usesDefault: boolean,
): void {
  const begun = sheet.joins.get(target.key) ?? { target, rowId: id, parts: {}, usesDefault: false };
  if (target.part !== undefined) begun.parts[target.part] = value;
  begun.usesDefault ||= usesDefault;
  sheet.joins.set(target.key, begun);
}

function join(joins: [string, Join][], sheet: Sheet, catalogue: Catalogue, lose: Lose): void {
  for (const [key, { target, rowId, parts }] of joins) {
    const joined = joinParts(parts, catalogue(target.object, target.field));
    if ('withheld' in joined) lose(rowId, joined.withheld, true);
    else sheet.values.set(key, { target, value: joined.value });
  }
}

function valuesIn({ values }: Sheet): MappedValues {
  const byObject = Map.groupBy(values.values(), ({ target }) => target.object);
  const entries = [...byObject].map(([object, filled]) => [
    object,
    Object.fromEntries(filled.map(({ target, value }) => [target.field, value])),
  ]);
  // rows of ours end in variables and rows of Pipedrive in fields: `compileRow` saw to it
  return Object.fromEntries(entries) as MappedValues;
}
