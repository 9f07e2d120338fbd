const WINDOW_MS = 10_000;
const MOST_REFUSED = 100;
const MOST_ADDRESSES = 10_000;

/** Counts the unknown keys an address sends: so many in ten seconds, and it is heard no more. */
export function createFlood(clock: () => number) {
  const windows = new Map<string, { from: number; refused: number }>();
  const current = (address: string) => {
    const window = windows.get(address);
    return window !== undefined && clock() - window.from < WINDOW_MS ? window : undefined;
  };
  return {
    isFlooding: (address: string): boolean => (current(address)?.refused ?? 0) >= MOST_REFUSED,
    noteRefused: (address: string): void => {
      const window = current(address) ?? { from: clock(), refused: 0 };
      window.refused += 1;
      windows.delete(address);
      windows.set(address, window);
      const [oldest] = windows.keys();
      if (windows.size > MOST_ADDRESSES && oldest !== undefined) windows.delete(oldest);
    },
  };
}
