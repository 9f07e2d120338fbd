/**
 * Remembers answers for a while, at most `size` of them; the least recently used goes first. An
 * answer still on its way when `clear` is called is given out, but not remembered.
 */
export function createCache<Value>(size: number, clock: () => number) {
  const entries = new Map<string, { value: Promise<Value>; until: number }>();
  return {
    get: (key: string): Promise<Value> | undefined => {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      if (entry.until <= clock()) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    /** Remembers at once, so that callers who come together wait for one answer. */
    set: (key: string, value: Promise<Value>, keepMs: (settled: Value) => number): void => {
      const entry = { value, until: Number.POSITIVE_INFINITY };
      entries.set(key, entry);
      const forget = () => {
        if (entries.get(key) === entry) entries.delete(key);
      };
      value.then((settled) => {
        entry.until = clock() + keepMs(settled);
        if (keepMs(settled) === 0) forget();
      }, forget);
      const [oldest] = entries.keys();
      if (entries.size > size && oldest !== undefined) entries.delete(oldest);
    },
    clear: (): void => entries.clear(),
    size: (): number => entries.size,
  };
}
