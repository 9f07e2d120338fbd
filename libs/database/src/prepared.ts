/** Of one connection; each takes some memory in the server for as long as it is open. */
const PREPARED_AT_MOST = 300;
/** Texts counted before the counting begins anew: lists of changing length would fill it. */
const COUNTED_AT_MOST = 2_000;
const OFTEN = 3;

/** Names for the statements of one connection. */
export interface Prepared {
  /** The name a text is prepared under; undefined while it is too rare for that. */
  nameOf(text: string): string | undefined;
}

/** How often each text was run over all connections of a pool. */
export type Counts = Map<string, number>;

/**
 * Decides which statements of a connection the server parses and plans once instead of at each run:
 * those that came up often enough, a bounded number of them.
 */
export function createPrepared(counts: Counts): Prepared {
  const names = new Map<string, string>();
  return {
    nameOf(text) {
      const known = names.get(text);
      if (known !== undefined || names.size >= PREPARED_AT_MOST) return known;
      if (countOnce(counts, text) < OFTEN) return undefined;
      const name = `s${names.size}`;
      names.set(text, name);
      return name;
    },
  };
}

function countOnce(counts: Counts, text: string): number {
  const count = (counts.get(text) ?? 0) + 1;
  if (counts.size >= COUNTED_AT_MOST) counts.clear();
  counts.set(text, count);
  return count;
}
