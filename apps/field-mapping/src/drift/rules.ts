import type { FieldDefinition, MappingRow, PipedriveObject } from '@manifold/contracts';
import { pipedriveEndOf } from '../mappings/rules.ts';
import type { MappingDrift } from '../store.ts';

export type Drift = Omit<MappingDrift, 'workspace_id' | 'mapping_id' | 'since'>;

/** Rows and the fields they rest on, as somebody last took them over. */
export interface Held {
  rows: readonly MappingRow[];
  fields: readonly FieldDefinition[];
  /** Rows that cannot be used with the fields as they are now. */
  unusable: ReadonlySet<string>;
}

export interface Current {
  catalogue: readonly FieldDefinition[];
  known: ReadonlySet<string>;
}

/** What became of the fields under a mapping, each difference once for both its copies. */
export function findDrift(
  copies: { published: Held | undefined; working: Held },
  current: Current,
): Drift[] {
  const found = new Map<string, Drift>();
  for (const [copy, held] of Object.entries(copies)) {
    for (const drift of held ? driftOf(held, current) : []) {
      const key = `${drift.row_id}|${drift.change}`;
      const known = found.get(key) ?? { ...drift, published: false, working: false };
      found.set(key, {
        ...known,
        ...(copy === 'published' ? { published: true } : { working: true }),
        quarantined: known.quarantined || drift.quarantined,
      });
    }
  }
  return [...found.values()];
}

type Difference = Pick<Drift, 'change' | 'before' | 'after'>;

function driftOf({ rows, fields, unusable }: Held, { catalogue, known }: Current) {
  return rows.flatMap((row) => {
    const end = pipedriveEndOf(row);
    if (end === undefined || !known.has(end.object)) return [];
    const then = find(fields, end);
    if (then === undefined) return [];
    return differencesOf(then, find(catalogue, end)).map((difference) => ({
      ...difference,
      row_id: row.id,
      object: end.object,
      field: end.field,
      // a new name alone never keeps a row from working
      quarantined: difference.change !== 'RENAMED' && unusable.has(row.id),
    }));
  });
}

const find = (
  fields: readonly FieldDefinition[],
  { object, field }: { object: PipedriveObject; field: string },
): FieldDefinition | undefined => fields.find((one) => one.object === object && one.code === field);

function differencesOf(then: FieldDefinition, now: FieldDefinition | undefined): Difference[] {
  if (now === undefined) return [{ change: 'REMOVED', before: then.name, after: null }];
  const differences: Difference[] = [];
  if (then.name !== now.name) {
    differences.push({ change: 'RENAMED', before: then.name, after: now.name });
  }
  if (then.type !== now.type) {
    differences.push({ change: 'RETYPED', before: then.type, after: now.type });
  } else {
    differences.push(...optionsLost(then, now));
  }
  return differences;
}

const MOST_LABELS = 20;

function optionsLost(then: FieldDefinition, now: FieldDefinition): Difference[] {
  const left = new Map((now.options ?? []).map(({ id, label }) => [id, label]));
  const lost = (then.options ?? []).filter(({ id, label }) => left.get(id) !== label);
  if (lost.length === 0) return [];
  const labels = lost.slice(0, MOST_LABELS);
  const after = labels.flatMap(({ id }) => left.get(id) ?? []);
  return [
    {
      change: 'OPTIONS_LOST',
      before: labels.map(({ label }) => label).join(', '),
      after: after.length === 0 ? null : after.join(', '),
    },
  ];
}

/** Whether two readings of a mapping's drift say the same. */
export const isSameDrift = (one: readonly Drift[], other: readonly Drift[]): boolean =>
  describe(one) === describe(other);

const describe = (drift: readonly Drift[]): string =>
  drift
    .map((one) =>
      JSON.stringify([
        ...[one.row_id, one.change, one.before, one.after],
        ...[one.published, one.working, one.quarantined],
      ]),
    )
    .toSorted()
    .join('\n');

/** A published excerpt in which quarantined rows meet their fields as they are now, or not at all. */
export function quarantinedExcerpt(
  { rows, catalogue }: { rows: readonly MappingRow[]; catalogue: readonly FieldDefinition[] },
  quarantined: ReadonlySet<string>,
  current: readonly FieldDefinition[],
): FieldDefinition[] {
  const ends = rows.filter(({ id }) => quarantined.has(id)).map(pipedriveEndOf);
  return catalogue.flatMap((field) => {
    const isMeant = ends.some((end) => end?.object === field.object && end.field === field.code);
    if (!isMeant) return [field];
    return find(current, { object: field.object, field: field.code }) ?? [];
  });
}
