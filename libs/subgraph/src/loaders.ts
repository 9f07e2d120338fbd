import DataLoader from 'dataloader';

/** Loads one row per key, all keys of a tick with one call of `list`; null where it found none. */
export const createLoader = <Key extends string, Row>(
  list: (keys: readonly Key[]) => Promise<Row[]>,
  keyOf: (row: Row) => string,
): DataLoader<Key, Row | null> =>
  new DataLoader<Key, Row | null>(async (keys) => {
    const rows = new Map((await list(keys)).map((row) => [keyOf(row), row]));
    return keys.map((key) => rows.get(key) ?? null);
  });

/** Loads all rows of each key, in the order `list` gives; none where it found none. */
export const createGroupLoader = <Key extends string, Row>(
  list: (keys: readonly Key[]) => Promise<Row[]>,
  keyOf: (row: Row) => string,
  options?: { maxBatchSize: number },
): DataLoader<Key, Row[]> =>
  new DataLoader<Key, Row[]>(async (keys) => {
    const rows = Map.groupBy(await list(keys), keyOf);
    return keys.map((key) => rows.get(key) ?? []);
  }, options);
