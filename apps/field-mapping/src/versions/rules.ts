import type { MappingRow, MappingSource, MergePolicy } from '@manifold/contracts';

export interface Copy {
  rows: readonly MappingRow[];
  policy: MergePolicy;
}

export interface Comparison {
  added: MappingRow[];
  removed: MappingRow[];
  changed: { before: MappingRow; after: MappingRow }[];
  policy: { before: MergePolicy; after: MergePolicy } | null;
  /** The same rows in another order. */
  reordered: boolean;
}

/** What differs between two copies of a mapping, row by row. */
export function compareCopies(before: Copy, after: Copy): Comparison {
  const then = new Map(before.rows.map((row) => [row.id, row]));
  const now = new Map(after.rows.map((row) => [row.id, row]));
  const changed = after.rows.flatMap((row) => {
    const old = then.get(row.id);
    return old && canonical(old) !== canonical(row) ? [{ before: old, after: row }] : [];
  });
  const kept = (rows: readonly MappingRow[], others: ReadonlyMap<string, MappingRow>) =>
    rows.flatMap(({ id }) => (others.has(id) ? [id] : []));
  return {
    added: after.rows.filter(({ id }) => !then.has(id)),
    removed: before.rows.filter(({ id }) => !now.has(id)),
    changed,
    policy:
      canonical(before.policy) === canonical(after.policy)
        ? null
        : { before: before.policy, after: after.policy },
    reordered: canonical(kept(before.rows, now)) !== canonical(kept(after.rows, then)),
  };
}

/** JSON with sorted keys: equal content gives equal text, whatever a database did to the order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)),
        )
      : part,
  );
}

/** Whether a published source holds exactly these rows and this policy. */
export const isPublishedAs = (working: Copy, published: MappingSource | undefined): boolean =>
  published !== undefined &&
  canonical([working.rows, working.policy]) === canonical([published.rows, published.policy]);
