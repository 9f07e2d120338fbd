import type { FieldDefinition, MappingRow, VariableValue } from '@manifold/contracts';
import { compile, variableTypeOf } from '@manifold/mapping';
import { pipedriveEndOf, sourceOf, type Working } from '../../mappings/rules.ts';
import type { Drift } from '../rules.ts';

/** What would make a drifted row right again. */
export type Repair =
  /** The row works with the field as it is now. */
  | { action: 'KEEP'; row: MappingRow; explanation: string }
  | { action: 'CHANGE'; row: MappingRow; explanation: string }
  | { action: 'REMOVE'; row: null; explanation: string }
  /** The working copy is right already; only what is published is not. */
  | { action: 'PUBLISH'; row: null; explanation: string };

interface Light {
  working: Working & { fields: readonly FieldDefinition[] };
  catalogue: readonly FieldDefinition[];
}

/** The repair of one row, whatever has become of its field. */
export function proposeRepair(rowId: string, drift: readonly Drift[], light: Light): Repair {
  const row = light.working.rows.find(({ id }) => id === rowId);
  const its = drift.filter((one) => one.row_id === rowId && one.working);
  if (row === undefined || its.length === 0) {
    const explanation = 'The working copy needs no repair; publish it to put it to use.';
    return { action: 'PUBLISH', row: null, explanation };
  }
  if (works(row, light)) {
    const explanation =
      'The row works with the field as it is now; only what is known of the field is brought up to date.';
    return { action: 'KEEP', row, explanation };
  }
  for (const [candidate, explanation] of candidatesFor(row, its, light)) {
    if (works(candidate, light)) return { action: 'CHANGE', row: candidate, explanation };
  }
  const explanation = 'Nothing takes the place of what is gone; the row goes, and the others stay.';
  return { action: 'REMOVE', row: null, explanation };
}

/** Whether a row works by itself with the fields as they are. */
const works = (row: MappingRow, { working, catalogue }: Light): boolean =>
  compile(sourceOf({ ...working, rows: [row] }, catalogue)).problems.length === 0;

function candidatesFor(
  row: MappingRow,
  drift: readonly Drift[],
  light: Light,
): [MappingRow, string][] {
  const end = pipedriveEndOf(row);
  if (end === undefined) return [];
  const used = new Set(
    light.working.rows
      .map((one) => pipedriveEndOf(one))
      .map((one) => `${one?.object}.${one?.field}`),
  );
  const names = drift.filter(({ change }) => change === 'REMOVED').map(({ before }) => before);
  const successors = light.catalogue
    .filter(
      ({ object, code, name }) =>
        object === end.object && names.includes(name) && !used.has(`${object}.${code}`),
    )
    .flatMap((field) =>
      shapesFor(atField(row, field.code), field).map((one): [MappingRow, string] => [
        one,
        `Another field is called ${field.name} now; the row takes it instead.`,
      ]),
    );
  const now = light.catalogue.find(
    ({ object, code }) => object === end.object && code === end.field,
  );
  if (now === undefined) return successors;
  return [
    ...shapesFor(row, now).map((one): [MappingRow, string] => [
      one,
      `The row follows the field, which is of the type ${now.type} now.`,
    ]),
    ...withOptions(row, light.working.fields, now).map((one): [MappingRow, string] => [
      one,
      'The row names the options as they are called now.',
    ]),
  ];
}

/** The row at another field, on whichever end the field is. */
const atField = (row: MappingRow, code: string): MappingRow => {
  const end = pipedriveEndOf(row);
  return end?.object === row.source.object && 'field' in row.source
    ? { ...row, source: { ...row.source, field: code } }
    : { ...row, target: { ...row.target, field: code } as MappingRow['target'] };
};

/** The row as it is, without its part, and with a variable of the field's own type. */
function shapesFor(row: MappingRow, field: FieldDefinition): MappingRow[] {
  const whole = withoutPart(row);
  const type = variableTypeOf(field);
  const { target } = whole;
  const typed =
    type !== undefined && 'type' in target ? [{ ...whole, target: { ...target, type } }] : [];
  return [row, whole, ...typed];
}

function withoutPart(row: MappingRow): MappingRow {
  const { source, target } = row;
  if ('part' in source) {
    const { part: _part, ...whole } = source;
    return { ...row, source: whole };
  }
  if ('part' in target && !('type' in target)) {
    const { part: _part, ...whole } = target;
    return { ...row, target: whole };
  }
  return row;
}

/** Fixed values and defaults in the words of today; a default whose option is gone is left out. */
function withOptions(
  row: MappingRow,
  held: readonly FieldDefinition[],
  now: FieldDefinition,
): MappingRow[] {
  const then = held.find(({ object, code }) => object === now.object && code === now.code);
  const renamed = new Map(
    (then?.options ?? []).flatMap(({ id, label }) => {
      const today = now.options?.find((option) => option.id === id)?.label;
      return today === undefined ? [] : [[label, today] as const];
    }),
  );
  const told = (value: VariableValue): VariableValue => {
    if (typeof value === 'string') return renamed.get(value) ?? value;
    if (!Array.isArray(value)) return value;
    const labels = value.filter((one) => typeof one === 'string');
    return labels.length === value.length ? labels.map((one) => renamed.get(one) ?? one) : value;
  };
  const { source } = row;
  const fixed =
    source.object === 'constant'
      ? { ...row, source: { ...source, value: told(source.value) } }
      : row;
  if (fixed.default === undefined) return [fixed];
  const { default: fallback, ...without } = fixed;
  return [{ ...fixed, default: told(fallback) }, without];
}

/** A working copy after repairs, and what its rows rest on from then on. */
export function applyRepairs(
  light: Light,
  repairs: ReadonlyMap<string, Repair>,
): { rows: MappingRow[]; fields: FieldDefinition[] } {
  const rows = light.working.rows.flatMap((row) => {
    const repair = repairs.get(row.id);
    if (repair === undefined || repair.action === 'PUBLISH') return [row];
    return repair.row ?? [];
  });
  const renewed = new Set(
    [...repairs.keys()].flatMap((id) => {
      const row = rows.find((one) => one.id === id);
      const end = row && pipedriveEndOf(row);
      return end ? [`${end.object}.${end.field}`] : [];
    }),
  );
  const keyOf = ({ object, code }: FieldDefinition) => `${object}.${code}`;
  return {
    rows,
    fields: [
      ...light.working.fields.filter((field) => !renewed.has(keyOf(field))),
      ...light.catalogue.filter((field) => renewed.has(keyOf(field))),
    ],
  };
}
