import type {
  KeptReason,
  MappingLoss,
  MappingRow,
  MappingSource,
  PipedriveRecord,
  VariableType,
  VariableValue,
} from '@manifold/contracts';
import { compile, isEmpty, type MappedRecord, merge, type MergeResult } from '@manifold/mapping';

export interface PreviewedRow {
  row: MappingRow;
  /** Where the sample is from; null when no record at hand holds one. */
  recordId: string | null;
  sample: VariableValue;
  mapped: VariableValue;
  losses: Omit<MappingLoss, 'rowId'>[];
}

export interface PreviewedField {
  field: string;
  before: VariableValue;
  after: VariableValue;
  changed: boolean;
  kept: KeptReason | null;
}

export interface Preview {
  record: PipedriveRecord | undefined;
  rows: PreviewedRow[];
  fields: PreviewedField[];
  outcome: MergeResult['outcome'] | null;
  /** Required targets nothing fills. */
  missing: string[];
}

interface Given {
  source: MappingSource;
  object: 'person' | 'organization';
  /** The one shown as a whole comes first; the others lend samples of what it lacks (WX-26). */
  records: readonly PipedriveRecord[];
  existing: Readonly<Record<string, VariableValue>> | undefined;
  /** What each row's source holds by nature. */
  typeOf: (row: MappingRow) => VariableType;
}

/** What a mapping makes of real records: each row by itself, and one record as a whole. */
export function previewRecords(given: Given): Preview {
  const { source, object, records, existing } = given;
  const rows = source.rows.filter((row) => row.source.object === object);
  const { map } = compile(source);
  const sampled = compile({ ...source, rows: rows.map((row, at) => asItIs(row, at, given)) });
  const read = records.map((record) => ({
    id: record.id,
    mapped: map({ object, fields: record.fields }),
    samples: sampled.map({ object, fields: record.fields }),
  }));
  const [whole] = read;
  const target = object === 'person' ? 'contact' : 'account';
  const merged =
    whole &&
    merge({
      ...{ object: target, existing, policy: source.policy },
      incoming: whole.mapped.values[target] ?? {},
      createOnly: whole.mapped.createOnlyValues[target] ?? {},
    });
  return {
    record: records[0],
    rows: rows.map((row, at) => {
      const from = read.find(({ samples }) => !isEmpty(sampleOf(samples, at))) ?? whole;
      return {
        row,
        recordId: from?.id ?? null,
        sample: from ? sampleOf(from.samples, at) : null,
        mapped: from ? valueOf(from.mapped, row) : null,
        losses: (from?.mapped.losses ?? []).filter(({ rowId }) => rowId === row.id),
      };
    }),
    fields: merged ? fieldsOf(merged, existing ?? {}) : [],
    outcome: merged?.outcome ?? null,
    missing: whole?.mapped.missing ?? [],
  };
}

/** A row that only reads: its source, unconverted, under a name of its own. */
const asItIs = (row: MappingRow, at: number, { typeOf }: Given): MappingRow => ({
  id: row.id,
  source: row.source,
  target: { object: 'contact', field: `sample_${at}`, type: typeOf(row) },
});

const sampleOf = ({ values }: MappedRecord, at: number): VariableValue =>
  values.contact?.[`sample_${at}`] ?? null;

const valueOf = (
  { values, createOnlyValues }: MappedRecord,
  { target: { object, field } }: MappingRow,
): VariableValue => {
  // what is read from Pipedrive goes nowhere else
  if (object !== 'contact' && object !== 'account' && object !== 'permission') return null;
  return values[object]?.[field] ?? createOnlyValues[object]?.[field] ?? null;
};

function fieldsOf(
  { values, changed, kept }: MergeResult,
  existing: Readonly<Record<string, VariableValue>>,
): PreviewedField[] {
  const before = new Map(Object.entries(existing));
  const after = new Map(Object.entries(values));
  const reasons = new Map(kept.map(({ field, reason }) => [field, reason]));
  const names = new Set([...before.keys(), ...after.keys(), ...reasons.keys()]);
  return [...names].map((field) => ({
    field,
    before: before.get(field) ?? null,
    after: after.get(field) ?? null,
    changed: changed.includes(field),
    kept: reasons.get(field) ?? null,
  }));
}
